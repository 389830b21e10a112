import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

// Its source, so that it is built together with the app. An app of yours installs it as a package.
const client = fileURLToPath(new URL("../../clients/typescript/src/index.ts", import.meta.url));
const here = (name: string) => fileURLToPath(new URL(`node_modules/${name}`, import.meta.url));

export default defineConfig({
  // graphql-ws is also found from the client's folder, which has no packages of its own here.
  resolve: { alias: { "faena-client": client, "graphql-ws": here("graphql-ws") } },
  // A page that may not run anything but its own files: see tools/web.py.
  build: { modulePreload: { polyfill: false } },
});
