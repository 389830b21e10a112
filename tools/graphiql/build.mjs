// Bundles GraphiQL and its workers into one folder: node build.mjs [outdir]
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const outdir = resolve(process.argv[2] ?? resolve(here, "../../var/graphiql"));

// graphiql/style.css already holds Monaco's rules; the editor's own imports would repeat them
// in style sheets that nothing loads.
const withoutEditorStyles = {
  name: "without-editor-styles",
  setup({ onLoad }) {
    onLoad({ filter: /monaco-editor.*\.css$/ }, () => ({ contents: "", loader: "js" }));
  },
};

const shared = {
  absWorkingDir: here,
  bundle: true,
  define: { "process.env.NODE_ENV": '"production"', "process.env.USE_IMPORT": '"true"' },
  legalComments: "linked",
  logLevel: "warning",
  minify: true,
  outdir,
  target: ["es2022"],
};

await rm(outdir, { force: true, recursive: true });
await build({
  ...shared,
  chunkNames: "chunks/[name]-[hash]",
  entryPoints: { graphiql: "src/main.jsx" },
  format: "esm",
  jsx: "automatic",
  plugins: [withoutEditorStyles],
  loader: { ".ttf": "file", ".woff2": "file" },
  splitting: true,
});
await build({
  ...shared,
  entryPoints: {
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
  },
  format: "iife",
});
