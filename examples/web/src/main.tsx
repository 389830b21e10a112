import "./style.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app";
import { SessionProvider } from "./session";

// Where the API is, said by whoever serves the app, so that one build works everywhere.
const { graphql } = await (await fetch("/config.json")).json();

createRoot(document.getElementById("app")!).render(
  <StrictMode>
    <SessionProvider url={graphql}>
      <App />
    </SessionProvider>
  </StrictMode>,
);
