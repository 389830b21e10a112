// Follows a stream with a client library as an app would: keeps the last cursor, and subscribes
// with it again whenever the connection is lost. Writes one line of JSON for whatever happens.
// node streams.mjs '{"client": …, "url": …, "token": …, "field": …, "id": …, "ours": folder}'
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client, fetchExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { subscribe as start, onEnd, pipe } from "wonka";
import WebSocket from "ws";

const { client, url, token, field, id, ours } = JSON.parse(process.argv[2]);
const QUERIES = {
  viewerEvents: `subscription Mine($after: EventCursor) {
    viewerEvents(after: $after) { cursor node { id type } }
  }`,
  paymentStatus: `subscription Progress($id: ID!, $after: EventCursor) {
    paymentStatus(paymentId: $id, after: $after) { cursor status previous terminal }
  }`,
};
const RETRY_MILLISECONDS = 50;
// What graphql-ws gives for a socket that was closed: 4403 is a token that does not work.
const FORBIDDEN = 4403;

// Each takes a query, variables, and what to do with a result, a loss and an end.
const CLIENTS = {
  "graphql-ws": () => {
    const socket = socketClient();
    return (query, variables, { next, lost, ended }) =>
      socket.subscribe(
        { query, variables },
        { next: ({ data, errors }) => next(data, errors), error: lost, complete: ended },
      );
  },
  "apollo over a socket": () => throughApollo(new GraphQLWsLink(socketClient())),
  "apollo over multipart": () =>
    throughApollo(new HttpLink({ uri: url, headers: { Authorization: token } })),
  "urql over SSE": () => {
    const urql = new Client({
      url,
      exchanges: [fetchExchange],
      preferGetMethod: false,
      fetchSubscriptions: true,
      fetchOptions: { headers: { Authorization: token } },
    });
    return (query, variables, { next, lost, ended }) =>
      pipe(
        urql.subscription(query, variables),
        onEnd(ended),
        start(({ data, error, hasNext }) => {
          if (error?.networkError) lost(error.networkError);
          // The end is the last result once more, with hasNext false.
          else if (!error && !hasNext) ended();
          else next(data, error?.graphQLErrors);
        }),
      );
  },
};

function socketClient() {
  return createClient({
    url: url.replace("http", "ws"),
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: token },
    // The library would repeat the first subscription, with the cursor of that time.
    retryAttempts: 0,
  });
}

function throughApollo(link) {
  const apollo = new ApolloClient({ link, cache: new InMemoryCache() });
  return (query, variables, { next, lost, ended }) =>
    apollo.subscribe({ query: gql(query), variables, fetchPolicy: "no-cache" }).subscribe({
      next: ({ data, error }) => {
        if (CombinedGraphQLErrors.is(error)) next(data, error.errors);
        else if (error) lost(error);
        else next(data);
      },
      error: lost,
      complete: ended,
    });
}

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** One connection, to its end; says whether there is a reason for another one. */
function once(subscribe, state) {
  return new Promise((settle) => {
    let settled = false;
    const end = (line, again) => {
      if (settled) return;
      settled = true;
      say(line);
      settle(again);
    };
    subscribe(
      QUERIES[field],
      { id, after: state.after },
      {
        next: (data, errors) => {
          if (errors?.length) {
            end({ refused: errors[0].extensions.code }, false);
            return;
          }
          const item = data[field];
          state.after = item.cursor;
          state.over = item.terminal === true;
          say({ item });
        },
        lost: (reason) => {
          if (reason.code === FORBIDDEN) end({ refused: "FORBIDDEN" }, false);
          else end({ lost: String(reason.message ?? reason.code ?? reason) }, true);
        },
        ended: () => {
          if (state.over) end({ ended: true }, false);
          else end({ lost: "the stream ended" }, true);
        },
      },
    );
  });
}

/** The same with the client of this repository, which comes back by itself. */
async function followWithOurs() {
  const { Faena, MineDocument, PaymentProgressDocument } = await import(join(ours, "index.js"));
  const faena = new Faena({ url, token: token.replace("Bearer ", ""), webSocketImpl: WebSocket });
  const document = field === "viewerEvents" ? MineDocument : PaymentProgressDocument;
  const onConnection = (there) => there || say({ lost: "the connection" });
  try {
    for await (const item of faena.follow(document, { id }, { onConnection })) say({ item });
    say({ ended: true });
  } catch (reason) {
    say({ refused: reason.code ?? String(reason) });
  }
  process.exit(0);
}

if (ours) await followWithOurs();
const subscribe = CLIENTS[client]();
const state = { after: null, over: false };
while (await once(subscribe, state)) await sleep(RETRY_MILLISECONDS);
process.exit(0);
