// Monaco asks for its language services by label; each is a bundle of its own beside this
// one, so that the page needs neither blob: workers nor another origin.
const FILES = { json: "json.worker.js", graphql: "graphql.worker.js" };

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    const file = FILES[label] ?? "editor.worker.js";
    return new Worker(new URL(file, import.meta.url), { name: label });
  },
};
