import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { Kind, parse } from "graphql";

/**
 * A fetcher that decides by what the editor holds now. GraphiQL hands over the operation name
 * and the document it last analysed, which for a moment after a change of tab are still the
 * previous tab's: a subscription would go out over HTTP under another operation's name.
 *
 * The toolkit opens a socket per subscription and passes the header pane's contents as its
 * connection parameters, which is how `Authorization` reaches the server there.
 */
export function createFetcher({ graphqlUrl, subscriptionUrl }) {
  const fetcher = createGraphiQLFetcher({
    url: graphqlUrl,
    subscriptionUrl: socketUrl(subscriptionUrl),
    // Asked for multipart, the server would stream subscriptions in another protocol.
    enableIncrementalDelivery: false,
  });
  return (params, options) => {
    const document = parsed(params.query);
    if (document === null) return fetcher(params, options);
    const operationName = currentName(document, params.operationName);
    return fetcher({ ...params, operationName }, { ...options, documentAST: document });
  };
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
