import type { AmountInput, SumFragment } from "./generated.js";

type Asset = Pick<AmountInput, "assetCode" | "assetScale">;

/** A sum as people write it, to the last digit: "12.50 USD" in `en`, "12,50 USD" in `de`. */
export function formatAmount({ value, assetCode, assetScale }: SumFragment, locale?: string): string {
  const digits = value.padStart(assetScale + 1, "0");
  const whole = digits.slice(0, digits.length - assetScale);
  const decimal = assetScale ? `${whole}.${digits.slice(-assetScale)}` : whole;
  const format = new Intl.NumberFormat(locale, {
    minimumFractionDigits: assetScale,
    maximumFractionDigits: assetScale,
  });
  return `${format.format(decimal as Intl.StringNumericLiteral)}\u00a0${assetCode}`;
}

/** A sum that somebody typed, or null for what is none: "12.5" of a USD wallet is value "1250". */
export function parseAmount(text: string, { assetCode, assetScale }: Asset): AmountInput | null {
  const [, whole, part = ""] = /^(\d+)(?:[.,](\d+))?$/.exec(text.trim()) ?? [];
  if (whole === undefined || part.length > assetScale) return null;
  const value = String(BigInt(whole + part.padEnd(assetScale, "0")));
  return { value, assetCode, assetScale };
}
