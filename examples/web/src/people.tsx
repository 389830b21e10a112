import { AddWalletDocument, LogInDocument, SignUpDocument } from "faena-client";
import { useState } from "react";

import { Badge, Field, Form, Heading, Money, Section } from "./parts";
import { go, usePath } from "./router";
import { useSession, useWords } from "./session";

/** Logging in, and signing up. */
export function EnterPage() {
  const { faena, enter, language } = useSession();
  const { say } = useWords();
  const [isNew, setNew] = useState(false);
  const path = usePath();
  const title = isNew ? say.signUp : say.logIn;
  const send = async (data: FormData) => {
    const [email, password] = [String(data.get("email")), String(data.get("password"))];
    const { token } = isNew
      ? await faena.change(SignUpDocument, {
          ...{ email, password, locale: language },
          displayName: String(data.get("displayName")),
        })
      : await faena.change(LogInDocument, { email, password });
    enter(token);
    if (path === "/enter") go(isNew ? "/wallet" : "/");
  };
  return (
    <div className="card narrow">
      <Heading title={title}>{title}</Heading>
      <Form
        key={title}
        label={title}
        onSend={send}
        buttons={
          <>
            <button>{title}</button>
            <button type="button" className="quiet" onClick={() => setNew(!isNew)}>
              {isNew ? say.knownHere : say.newHere}
            </button>
          </>
        }
      >
        {isNew && (
          <Field label={say.name} name="displayName" input={{ required: true, autoComplete: "name" }} />
        )}
        <Field label={say.email} name="email" input={{ type: "email", required: true, autoComplete: "email" }} />
        <Field
          label={say.password}
          name="password"
          hint={isNew ? say.passwordHint : undefined}
          input={{
            type: "password",
            required: true,
            autoComplete: isNew ? "new-password" : "current-password",
          }}
        />
      </Form>
    </div>
  );
}

/** The wallets of the viewer, and what has moved. */
export function WalletPage() {
  const { faena, me, changed } = useSession();
  const { say } = useWords();
  const wallets = me?.viewer?.wallets ?? [];
  const add = async (data: FormData) => {
    await faena.change(AddWalletDocument, { address: String(data.get("address")), makeDefault: true });
    changed();
  };
  return (
    <>
      <Heading title={say.wallet}>{say.wallet}</Heading>
      {wallets.length > 0 && (
        <Section title={say.yourWallets}>
          <ul className="rows">
            {wallets.map((wallet) => (
              <li key={wallet.id}>
                <span>
                  <strong>{wallet.publicName ?? wallet.address}</strong>
                  <small>{wallet.address}</small>
                </span>
                <span>
                  {wallet.assetCode} {wallet.isDefault && <Badge kind="good">{say.used}</Badge>}
                </span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {me?.myMoney.map((money) => (
        <Section key={money.earned.assetCode} title={`${say.money}: ${money.earned.assetCode}`}>
          <dl className="facts">
            {(["earned", "spent", "promisedToMe", "promisedByMe"] as const).map((kind) => (
              <div key={kind}>
                <dt>{say[kind]}</dt>
                <dd>
                  <Money amount={money[kind]} />
                </dd>
              </div>
            ))}
          </dl>
        </Section>
      ))}
      <Section title={say.addWallet}>
        <Form label={say.addWallet} onSend={add} buttons={<button>{say.addWallet}</button>}>
          <Field
            label={say.address}
            name="address"
            hint={say.addressHint}
            input={{ required: true, inputMode: "url", autoCapitalize: "off", spellCheck: false }}
          />
        </Form>
      </Section>
    </>
  );
}
