import "./workers.js";
import "graphiql/style.css";
import "./page.css";

import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { createFetcher } from "./fetcher.js";
import { isFresh, seededStorage } from "./storage.js";
import { WrappedLines } from "./wrapping.jsx";

const config = JSON.parse(document.getElementById("graphiql-config").textContent);
const storage = seededStorage(config.seed);
const [first] = config.tabs;

// GraphiQL fills only the first editor from the first default tab, not the two panes below it.
const opening =
  first && isFresh(storage)
    ? { initialVariables: first.variables ?? "", initialHeaders: first.headers ?? "" }
    : {};

createRoot(document.getElementById("graphiql")).render(
  <GraphiQL
    {...opening}
    fetcher={createFetcher(config)}
    defaultTabs={first ? config.tabs : undefined}
    defaultEditorToolsVisibility={first?.variables ? "variables" : "headers"}
    shouldPersistHeaders
    showPersistHeadersSettings={false}
    storage={storage}
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>
      Faena
      <WrappedLines />
    </GraphiQL.Logo>
  </GraphiQL>,
);
