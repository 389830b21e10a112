import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { getOperationAST, Kind, parse } from "graphql";
import { CloseCode, createClient } from "graphql-ws";

/**
 * A fetcher that decides by what the editor holds now. GraphiQL hands over the operation name
 * and the document it last analysed, which for a moment after a change of tab are still the
 * previous tab's: a subscription would go out over HTTP under another operation's name.
 */
export function createFetcher({ graphqlUrl, subscriptionUrl }) {
  const options = {
    url: graphqlUrl,
    // Asked for multipart, the server would stream subscriptions in another protocol.
    enableIncrementalDelivery: false,
  };
  const overHttp = createGraphiQLFetcher(options);
  return (params, { headers = {} } = {}) => {
    const document = parsed(params.query);
    if (document === null) return overHttp(params, { headers });
    const operationName = currentName(document, params.operationName);
    const operation = getOperationAST(document, operationName);
    const fetcher =
      operation?.operation === "subscription"
        ? createGraphiQLFetcher({ ...options, wsClient: socket(subscriptionUrl, headers) })
        : overHttp;
    return fetcher({ ...params, operationName }, { headers, documentAST: document });
  };
}

/** A socket for one subscription; the header pane is what the server sees when it opens. */
function socket(url, headers) {
  return createClient({
    url: socketUrl(url),
    connectionParams: headers,
    // The client would ask again for half a minute with a token that was just refused.
    shouldRetry: ({ code }) => code !== CloseCode.Forbidden,
  });
}

function socketUrl(url) {
  const resolved = new URL(url, window.location.href);
  resolved.protocol = resolved.protocol.replace(/^http/, "ws");
  return resolved.href;
}

function parsed(query) {
  try {
    return parse(query);
  } catch {
    return null; // the server words syntax errors better than we would
  }
}

function currentName(document, analysed) {
  const names = document.definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .map((operation) => operation.name?.value);
  return names.length === 1 ? names[0] : analysed;
}
