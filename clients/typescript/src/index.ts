export { type Document, Faena, type Following, type Options } from "./client.js";
export { NoAnswer, type Refusal, Refused } from "./errors.js";
export * from "./generated.js";
export { formatAmount, parseAmount } from "./money.js";
