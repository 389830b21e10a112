import type { CodegenConfig } from "@graphql-codegen/cli";

const string = { input: "string", output: "string" };

const config: CodegenConfig = {
  schema: "../../schema.graphql",
  documents: "operations/*.graphql",
  generates: {
    "src/generated.ts": {
      plugins: ["typescript", "typescript-operations", "typed-document-node"],
      config: {
        avoidOptionals: { field: true },
        documentMode: "string",
        enumsAsTypes: true,
        onlyOperationTypes: true,
        skipTypename: true,
        strictScalars: true,
        useTypeImports: true,
        // All of Faena's own scalars are strings on the wire.
        scalars: { DateTime: string, EventCursor: string, URL: string, UInt64: string, UUID: string },
      },
    },
  },
};

export default config;
