// Small conveniences; every page works without them.

for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
}

// The menu is open where there is room for it, and closed on a phone.
const narrow = window.matchMedia("(max-width: 60rem)");
const menu = document.querySelector("[data-menu]");
if (menu) {
  const fit = () => {
    menu.open = !narrow.matches;
  };
  fit();
  narrow.addEventListener("change", fit);
}

// Advice follows the category until the reader chooses it himself.
for (const form of document.querySelectorAll("form[data-decide]")) {
  const advice = form.elements.advice;
  let chosen = false;
  advice.addEventListener("change", () => {
    chosen = true;
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "category" && !chosen) {
      advice.value = event.target.dataset.advice;
    }
  });
}

// A form is sent once, however often it is tapped.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
    }
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
  }
});
