// SPDX-License-Identifier: Apache-2.0
// Gives reports to the code of a published OHIF viewer, unmodified, and prints what it would draw, as JSON.
//
//     node ohif_report.mjs DIST DCMJS IMAGE_UID,IMAGE_UID,... REPORT.dcm ...
//
// OHIF is a browser's program without exports; its bundle of the extension for reports is loaded as webpack would load
// it. What that extension takes from others (React, WebGL, icons) is stood in for, what it takes of the data is real:
// dcmjs reads the files, and every annotation that the extension adds to the picture is kept and printed.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [dist, dcmjsPath, images, ...reports] = process.argv.slice(2);
const dcmjs = createRequire(import.meta.url)(dcmjsPath);
const HANDLER = "extensions/cornerstone-dicom-sr/src/getSopClassHandlerModule";
const drawn = [];

// Anything: can be called, constructed, asked for members, and is text when it must be.
function anything() {
  const members = new Map();
  return new Proxy(function () {}, {
    get(_, name) {
      if (name === Symbol.toPrimitive) return () => "";
      if (name === Symbol.iterator) return () => [][Symbol.iterator]();
      if (name === "then") return undefined;
      if (!members.has(name)) members.set(name, anything());
      return members.get(name);
    },
    set: (_, name, value) => (members.set(name, value), true),
    has: () => true,
    apply: () => anything(),
    construct: () => anything(),
  });
}

function withMembers(members) {
  const rest = anything();
  return new Proxy(members, { get: (own, name) => (name in own ? own[name] : rest[name]) });
}

const SOP_CLASSES = {
  BasicTextSR: "1.2.840.10008.5.1.4.1.1.88.11",
  EnhancedSR: "1.2.840.10008.5.1.4.1.1.88.22",
  ComprehensiveSR: "1.2.840.10008.5.1.4.1.1.88.33",
  Comprehensive3DSR: "1.2.840.10008.5.1.4.1.1.88.34",
};
let guids = 0;
const cornerstone = withMembers({
  CodeScheme: { CodingSchemeDesignator: "CORNERSTONEJS", codeValues: { CORNERSTONEFREETEXT: "CORNERSTONEFREETEXT" } },
  TEXT_ANNOTATION_POSITION: { value: "textAnnotationPosition", schemeDesignator: "CORNERSTONEJS" },
  COMMENT_CODE: { value: "121106", schemeDesignator: "DCM" },
});
const shared = withMembers({
  sopClassDictionary: SOP_CLASSES,
  sortStudyInstances: (instances) => instances.sort((a, b) => a.InstanceNumber - b.InstanceNumber),
  guid: () => `guid-${guids++}`,
  MetadataProvider: { getUIDsFromImageID: (id) => ({ SOPInstanceUID: id, frameNumber: 1 }) },
  Cornerstone3D: cornerstone,
});
const picture = {
  utilities: withMembers({ imageToWorldCoords: (image, point) => [...point, 0] }),
  annotation: { state: { addAnnotation: (one) => drawn.push(one) } },
  metaData: { get: () => ({ frameOfReferenceUID: "", columnCosines: [1, 0, 0] }) },
};

// A module of another extension. The bundler has shortened its exports to a letter or two; behind each of them is what
// reading a report asks for.
function standIn() {
  const rest = anything();
  return new Proxy(picture, {
    get: (own, name) => own[name] ?? (typeof name === "string" && name.length <= 2 ? shared : rest[name]),
  });
}

const modules = {};
globalThis.webpackChunk = { push: ([, found]) => Object.assign(modules, found) };
const chunk = readdirSync(dist).find((name) => name.endsWith(".js") && readFileSync(join(dist, name)).includes(`${HANDLER}.ts`));
if (!chunk) throw new Error("this OHIF has no extension for reports");
globalThis.self = globalThis;
globalThis.window = globalThis;
(0, eval)(readFileSync(join(dist, chunk), "utf8"));

const loaded = {};
function requireModule(id) {
  if (!(id in modules)) return standIn();
  if (!(id in loaded)) {
    loaded[id] = {};
    modules[id]({ exports: loaded[id] }, loaded[id], requireModule);
  }
  return loaded[id];
}
requireModule.d = (target, getters) => {
  for (const name of Object.keys(getters)) Object.defineProperty(target, name, { enumerable: true, get: getters[name] });
};
requireModule.r = () => {};
requireModule.n = (module) => () => module;
requireModule.e = () => Promise.resolve();

const own = Object.keys(modules).find((id) => modules[id].toString().includes(`${HANDLER}.ts`) || /function getSopClassHandlerModule\(/.test(modules[id].toString()));
const extension = requireModule(own).default;

const imageSet = { displaySetInstanceUID: "images" };
const services = {
  displaySetService: { activeDisplaySets: [imageSet], EVENTS: {}, subscribe: () => {} },
  measurementService: { getSourceMappings: () => [] },
  customizationService: { getCustomization: () => undefined },
};
const dataSource = { getImageIdsForDisplaySet: () => images.split(","), retrieve: {} };
const handlers = extension.getSopClassHandlerModule({
  servicesManager: { services },
  extensionManager: { getDataSources: () => [dataSource] },
});

console.log = console.warn = (...words) => console.error(...words.map(String));
const answer = [];
for (const path of reports) {
  const bytes = readFileSync(path);
  const content = dcmjs.data.DicomMessage.readFile(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const instance = dcmjs.data.DicomMetaDictionary.naturalizeDataset(content.dict);
  const handler = handlers.find((one) => one.sopClassUids.includes(instance.SOPClassUID));
  const before = drawn.length;
  try {
    const [displaySet] = handler.getDisplaySetsFromSeries([instance]);
    await displaySet.load();
    answer.push({
      recognised: displaySet.isImagingMeasurementReport,
      images: displaySet.referencedImages.map((image) => image.ReferencedSOPInstanceUID),
      measurements: displaySet.measurements.length,
      drawn: drawn.slice(before).map((one) => ({
        uid: one.data.TrackingUniqueIdentifier,
        image: one.metadata.referencedImageId,
        kind: one.metadata.graphicType,
        points: one.data.renderableData[one.metadata.graphicType][0],
        labels: one.data.labels,
      })),
    });
  } catch (error) {
    answer.push({ error: String(error), drawn: drawn.slice(before).length });
  }
}
process.stdout.write(JSON.stringify(answer));
