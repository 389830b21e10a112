import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
export type MakeOptional<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]?: Maybe<T[SubKey]> };
export type MakeMaybe<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]: Maybe<T[SubKey]> };
export type MakeEmpty<T extends { [key: string]: unknown }, K extends keyof T> = { [_ in K]?: never };
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** An instant of ISO 8601 with its offset from UTC: 2026-06-01T12:00:00+00:00. Answers are in UTC. */
  DateTime: { input: string; output: string; }
  /** A place in a feed of events. Opaque; valid for the feed it came from, across connections and restarts, for 30 days. */
  EventCursor: { input: string; output: string; }
  /** A whole number from 0 to 2^64-1, as a string of decimal digits. */
  UInt64: { input: string; output: string; }
  /** An absolute URL of at most 2048 characters. */
  URL: { input: string; output: string; }
  /** A UUID of any version, with its four hyphens. */
  UUID: { input: string; output: string; }
};

/** A wallet to be paid at, or to pay from. */
export type AddWalletInput = {
  /** A wallet address URL or a $pointer. */
  address: Scalars['String']['input'];
  /** Use it when none is named. */
  makeDefault?: Scalars['Boolean']['input'];
};

/** Where the part of a funding stands that is promised to a worker. */
export type AllocationStatus =
  /** A part of it has arrived, the rest is still promised. */
  | 'PARTIALLY_RELEASED'
  /** What was accepted has arrived, but for what was written off; no more will come. */
  | 'RELEASED'
  /** Promised; nothing of it is paid yet. */
  | 'RESERVED'
  /** Taken back: nothing of it will be paid. */
  | 'RETURNED';

/** A sum of money in the asset's smallest unit. */
export type AmountInput = {
  /** As `Amount.assetCode` or a wallet gives it: USD. */
  assetCode: Scalars['String']['input'];
  /** As `Amount.assetScale` or a wallet gives it: 0 to 255. */
  assetScale: Scalars['Int']['input'];
  /** How many smallest units, such as "1250". */
  value: Scalars['UInt64']['input'];
};

/** A key that is there. */
export type ApiKeyIdInput = {
  /** As `ApiKey.id` gives it. */
  apiKeyId: Scalars['ID']['input'];
};

/** A new key for programs of one's own. */
export type ApiKeyInput = {
  /** 1 to 80 characters, to know it by later. */
  name: Scalars['String']['input'];
  /** What it may be used for: at least one. */
  scopes: Array<ApiKeyScope>;
  /** Whether it is for play money: as this installation is. */
  testMode?: Scalars['Boolean']['input'];
};

/** What an API key may be used for. */
export type ApiKeyScope =
  /** Posting jobs, applying, work and disputes. To end a job that money stands behind, MONEY is needed as well. */
  | 'JOBS'
  /** Funding, reviewing work and all else that moves money or asks for consent. */
  | 'MONEY'
  /** Queries and subscriptions: all that its owner sees. A key without it gets the objects that a mutation's payload names, and none that those lead to, such as a job's owner. */
  | 'READ'
  /** The registry of sellers, over REST; of use to an operator only. */
  | 'SELLERS';

/** A step with an application, and so a button to show. */
export type ApplicationAction =
  /** Turn it down: decideApplications with it in `reject`. */
  | 'REJECT'
  /** Make it PENDING again: decideApplications with it in `reset`. */
  | 'RESET'
  /** Give it one of the job's places: decideApplications with it in `select`. */
  | 'SELECT'
  /** Take it back, with withdrawApplication. */
  | 'WITHDRAW';

/** Which applications to list. */
export type ApplicationFilter = {
  /** Those that came to one of these. Left out: any. */
  status?: InputMaybe<Array<ApplicationStatus>>;
};

/** Names one application. */
export type ApplicationIdInput = {
  /** One's own, by its `id`. */
  applicationId: Scalars['ID']['input'];
};

/** What became of an application. The owner can change it until the work begins. */
export type ApplicationStatus =
  /** Not decided yet. */
  | 'PENDING'
  /** Turned down by the owner, or still pending when the work began. */
  | 'REJECTED'
  /** Takes one of the job's places. */
  | 'SELECTED'
  /** Taken back by the applicant, who can apply again while the job recruits. */
  | 'WITHDRAWN';

/** A wish to do a job. */
export type ApplyInput = {
  /** Files to show with it: at most 10 of one's own. */
  attachmentFileIds?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** Somebody else's, RECRUITING. */
  jobId: Scalars['ID']['input'];
  /** Words to the owner: at most 5000 characters. */
  note?: InputMaybe<Scalars['String']['input']>;
  /** Where the pay goes. Left out: one's default wallet. */
  payoutWalletId?: InputMaybe<Scalars['ID']['input']>;
};

/** The consent to pay out of the treasury. */
export type AuthorizeTreasuryInput = {
  /** A fresh one per decision. */
  idempotencyKey: Scalars['UUID']['input'];
  /** The most in 30 days: pay, refunds and the platform's fee, with wallets' costs. */
  limit: AmountInput;
  /** Where the browser goes after the treasury's wallet; its origin must be listed. */
  returnUrl: Scalars['URL']['input'];
};

/** A funding to call off. */
export type CancelFundingInput = {
  /** One that one pays. */
  fundingId: Scalars['ID']['input'];
  /** A fresh one per decision. */
  idempotencyKey: Scalars['UUID']['input'];
};

/** A job to end, and why. */
export type CancelJobInput = {
  /** One's own, or any for an operator; not in a final status. */
  jobId: Scalars['ID']['input'];
  /** 1 to 5000 characters; it stays in the log. */
  reason: Scalars['String']['input'];
};

/** Another password for oneself. */
export type ChangePasswordInput = {
  /** The one that logIn takes now. */
  currentPassword: Scalars['String']['input'];
  /** As at signUp. */
  newPassword: Scalars['String']['input'];
};

/** An approval that came back to another browser or device. */
export type ConfirmGrantInput = {
  /** One's own, as the page that the wallet led back to names it. */
  grantId: Scalars['ID']['input'];
};

/** What becomes of applications: all of it happens, or nothing. */
export type DecideApplicationsInput = {
  /** One's own; all of them are for it. */
  jobId: Scalars['ID']['input'];
  /** Those to turn down. */
  reject?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** Those to put back to PENDING. */
  reset?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** Those to work. With those selected before they are at most workersNeeded; places that `reject` and `reset` free count as free. */
  select?: InputMaybe<Array<Scalars['ID']['input']>>;
};

/** What a worker hands in. */
export type DeliverableType =
  /** A file with a media type of audio/. */
  | 'AUDIO'
  /** A file of any media type that is taken. */
  | 'FILE'
  /** A file with a media type of image/. */
  | 'IMAGE'
  /** A web address, in the submission's `links`. */
  | 'LINK'
  /** Words, in the submission's `text`. */
  | 'TEXT'
  /** A file with a media type of video/. */
  | 'VIDEO';

/** A step with a dispute, and so a button to show. */
export type DisputeAction =
  /** escalateDispute, for the worker. */
  | 'ESCALATE'
  /** resolveDispute, for an operator who is no party to it. */
  | 'RESOLVE'
  /** respondToDispute, for the job's owner. */
  | 'RESPOND'
  /** withdrawDispute, for the worker. */
  | 'WITHDRAW';

/** Names one dispute. */
export type DisputeIdInput = {
  /** About one's own work, by its `id`. */
  disputeId: Scalars['ID']['input'];
};

/** Where a dispute stands; the last two are final. */
export type DisputeStatus =
  /** Waits for an operator, without a deadline. */
  | 'ESCALATED'
  /** Waits for the job's owner. Their silence until `answerBy` gives the worker all of it. */
  | 'OPEN'
  /** Ended with shares: an operator's, or all for the worker. */
  | 'RESOLVED'
  /** Waits for the worker. Their silence until `answerBy` leaves the decision as it was. */
  | 'RESPONDED'
  /** Ended without any: given up by the worker, or left to silence. */
  | 'WITHDRAWN';

/** Why something was refused. New codes may be added: treat unknown ones alike. */
export type ErrorCode =
  /** A funding stands behind the job already: settled, or waiting for its payer. Show that one, from `job.fundings`. */
  | 'ALREADY_FUNDED'
  /** The sum is not the `expectedTotal` that the person was shown. Show `actual`, and ask again before sending it as the new `expectedTotal`. */
  | 'AMOUNT_CHANGED'
  /** An amount, or a product of amounts, is above 9223372036854775807 (2^63-1). Ask for a smaller one. */
  | 'AMOUNT_OUT_OF_RANGE'
  /** The wallet would keep all of it for sending it: nothing would arrive. Nothing can be done about this sum; wallets lower their charges now and then. */
  | 'AMOUNT_TOO_SMALL'
  /** A wallet has another asset than the job, or than it had when it was added. Name a wallet with the job's assetCode and assetScale. */
  | 'ASSET_MISMATCH'
  /** E-mail address or password is wrong, and it is not said which. Let the person type again. */
  | 'BAD_CREDENTIALS'
  /** This is no cursor of this list or feed, in this order and with this filter. Start again without a cursor. */
  | 'BAD_CURSOR'
  /** The request or its document is not one that this schema can answer. Correct the client: the message is for who writes it, and always English. */
  | 'BAD_REQUEST'
  /** Events behind this cursor are older than 30 days, and gone. Subscribe without `after`: the first item is the present state. */
  | 'CURSOR_EXPIRED'
  /** The payer's consent would have to last longer than can be asked for. Offer ESCROW, or to post the job again with closer deadlines. */
  | 'DEADLINE_TOO_FAR'
  /** The viewer sees the object, but this is for somebody else to do. Offer only what `allowedActions` lists. */
  | 'FORBIDDEN'
  /** The payment costs more by now than the payer approved; nothing was charged. Offer to fund again, so that the payer approves the new sum; for what is owed, renewGrant. */
  | 'GRANT_EXHAUSTED'
  /** The payer did not decide in time, or a consent is over; nothing was charged. Offer to fund again, with a new idempotencyKey; for what is owed, renewGrant. */
  | 'GRANT_EXPIRED'
  /** The wallet's approval was lost on the way several times; nothing was charged. Offer to fund again later; for what is owed, renewGrant. */
  | 'GRANT_LOST'
  /** The payer said no at their wallet; nothing was charged. Offer to fund again, with a new idempotencyKey. */
  | 'GRANT_REJECTED'
  /** The payer took the approval back at their wallet; nothing was charged. Ask the payer to approve again, with renewGrant. */
  | 'GRANT_REVOKED'
  /** This `idempotencyKey` was used before, with other input. Make a new UUID for each decision, and keep it only to repeat that one. */
  | 'IDEMPOTENCY_CONFLICT'
  /** The payer's wallet sent nothing, most often because it holds too little. Have the payer add money to it, then fund again; what is owed is tried again by itself, and by retryPayment. */
  | 'INSUFFICIENT_FUNDS'
  /** A bug of the server; `extensions.logId` finds it in the operator's log. Report the logId. Repeat only what is said to be safe to repeat: something may have been done. */
  | 'INTERNAL'
  /** The object's status, or a deadline that has passed, does not allow this any more. Read the object again, and show its `allowedActions`. */
  | 'INVALID_TRANSITION'
  /** This installation does not take money in this way. The message names the way that is open; it is the operator who opens others. */
  | 'MODE_UNAVAILABLE'
  /** The money did not arrive in time, and the payment was stopped for good. Offer to fund again; a charge in the payer's wallet is that wallet's matter. For what is owed offer retryPayment only to who has asked both wallets; of the treasury's money only operators decide. */
  | 'NOT_DELIVERED'
  /** Nothing has this id, or the viewer may not see it: the two look the same. Leave the object's page. */
  | 'NOT_FOUND'
  /** Nobody is selected for the job, so there is nobody's pay to secure. Select an application first, with decideApplications. */
  | 'NO_SELECTED_WORKERS'
  /** Only a part of the money arrived; `deliveredAmount` says how much. Do not fund again: the operator settles it. */
  | 'PARTIALLY_DELIVERED'
  /** The document asks for more than one request may; the message names the limit. Ask for fewer fields, smaller pages, or in several requests. */
  | 'QUERY_TOO_COMPLEX'
  /** Too many tries; `extensions.retryAfterSeconds` says when the next one counts. Wait that long, then send the same request. */
  | 'RATE_LIMITED'
  /** Where a job fixes what is sent: less than half would arrive of what the payer's wallet said when they consented. Try it again later; at that rate only an operator can have it paid. */
  | 'RATE_TOO_LOW'
  /** The origin of `returnUrl` is not one that the operator listed. Ask the operator to add the app's origin to RETURN_URLS. */
  | 'RETURN_URL_REFUSED'
  /** There is no active seller with this `sellerId`. Leave `sellerId` out, or ask the operator for its spelling. */
  | 'SELLER_NOT_FOUND'
  /** No token was sent, or it is unknown, expired or revoked. Log in, and send the request again with the new token. */
  | 'UNAUTHENTICATED'
  /** A wallet, the store of files or the database did not answer in time; nothing was lost. Try again later. */
  | 'UPSTREAM_UNAVAILABLE'
  /** An input has a value that cannot be used; `path` names it. Show the message beside that input. */
  | 'VALIDATION'
  /** The job has changed since the `expectedVersion` that the person saw. Read the job again, and let the person decide between the two versions. */
  | 'VERSION_CHANGED'
  /** An operator has suspended the provider of a wallet: nothing new begins there. Let the person use another wallet. What was approved before goes on. */
  | 'WALLET_HOST_SUSPENDED'
  /** A wallet answered and said no, or said something else than what was asked. Show the message, which says what can be done about it. */
  | 'WALLET_REJECTED'
  /** The person has no wallet that money could leave or reach. Have them add one with addWallet, then send the request again. */
  | 'WALLET_REQUIRED'
  /** No Open Payments wallet answered at this address: there is none, or it is silent. Let the person check the address; if it is right, try again later. */
  | 'WALLET_UNREACHABLE';

/** What an export has. */
export type ExportScope =
  /** Everybody's entries and the platform's, as CSV. For operators and auditors. */
  | 'BOOKS'
  /** One's own entries of the books, as CSV: what myMoney adds up. */
  | 'MINE'
  /** What else is kept of oneself, as one JSON object: account, profile, wallets, jobs, applications, work with the names of its files, consents and more. */
  | 'PERSON';

/** Later deadlines for a job; at least one. */
export type ExtendJobInput = {
  /** After the others. Left out: as before. */
  expiresAt?: InputMaybe<Scalars['DateTime']['input']>;
  /** One's own, RECRUITING, SELECTING or SUBMITTING. */
  jobId: Scalars['ID']['input'];
  /** While it recruits. Left out: as before. */
  recruitUntil?: InputMaybe<Scalars['DateTime']['input']>;
  /** While work is handed in. Left out: as before. */
  submitUntil?: InputMaybe<Scalars['DateTime']['input']>;
};

/** Names one upload. */
export type FileIdInput = {
  /** One's own, by its `id`. */
  fileId: Scalars['ID']['input'];
};

/** Where a file is. Only a READY one can be attached and downloaded; a REJECTED one was refused or has expired. */
export type FileStatus =
  /** Its size, hash and content are what was declared. */
  | 'READY'
  /** They are not, or the upload was not finished in time. It does not come back. */
  | 'REJECTED'
  /** Parts are missing, or completeUpload has not been called yet. */
  | 'UPLOADING';

/** Put a job's whole budget behind it. The server knows the amount. */
export type FundJobInput = {
  /** Refuse when the total differs from what the user was shown: totalBudget, and platformFee unless the mode is DIRECT. */
  expectedTotal?: InputMaybe<AmountInput>;
  /** A fresh one per decision. Repeating it gives the same funding. */
  idempotencyKey: Scalars['UUID']['input'];
  /** One's own, RECRUITING or SELECTING. */
  jobId: Scalars['ID']['input'];
  /** Who is to hold the money. Left out: DIRECT where a seller is named or configured, else PREAPPROVED. */
  mode?: InputMaybe<FundingMode>;
  /** One of one's own to pay from. Left out: the default one. */
  payerWalletId?: InputMaybe<Scalars['ID']['input']>;
  /** Where the payer's browser goes after the wallet; its origin must be listed. */
  returnUrl: Scalars['URL']['input'];
  /** In mode DIRECT, a seller's slug. Left out: the default seller. */
  sellerId?: InputMaybe<Scalars['String']['input']>;
};

/** What somebody may do with a funding. */
export type FundingAction =
  /** Call it off; what is held goes back: cancelFunding. */
  | 'CANCEL'
  /** Have back what nobody is promised: refundFunding. */
  | 'REFUND'
  /** Consent again, where a consent is gone or does not suffice: renewGrant. */
  | 'RENEW';

/** What a worker may rely on about the money. */
export type FundingAssurance =
  /** The payer has promised it at their wallet; it has not moved. */
  | 'AUTHORIZED'
  /** The platform holds it. */
  | 'HELD'
  /** Nothing yet. */
  | 'NONE'
  /** It has arrived with whom the funding pays. */
  | 'PAID';

/** Who holds the money between consent and payout. */
export type FundingMode =
  /** Nobody: the payer's wallet pays a registered seller at once. */
  | 'DIRECT'
  /** The platform, in its treasury wallet, until work is accepted. Only where an operator offers it. */
  | 'ESCROW'
  /** The payer. Their wallet has agreed to pay accepted work up to a limit and a day: a promise, not a hold. */
  | 'PREAPPROVED';

/** Where a funding stands. */
export type FundingStatus =
  /** The payer's consent, or the money, has yet to come. */
  | 'AWAITING_APPROVAL'
  /** Called off before any of it was paid out. Final. */
  | 'CANCELED'
  /** The payer did not decide in time. Final. */
  | 'EXPIRED'
  /** It could not be had: see `failure`, its own or its payment's. Final. */
  | 'FAILED'
  /** The consent behind it was lost, taken back or is over; renewGrant asks for another. */
  | 'LAPSED'
  /** A part of it has been paid out. */
  | 'PARTIALLY_RELEASED'
  /** All of it has gone back; none of it was paid out. Final. */
  | 'REFUNDED'
  /** What is left of it is on its way back. */
  | 'REFUNDING'
  /** The payer said no at their wallet. Final. */
  | 'REJECTED'
  /** The money is held, or consented to, and accepted work is paid out of it. */
  | 'SECURED'
  /** It has been paid out; what nobody was owed of it has gone back. Final. */
  | 'SETTLED';

/** What a payer consents to. */
export type GrantScope =
  /** All payments of one funding, up to its limit, until it ends. */
  | 'POOLED'
  /** One payment to one receiver, at once. */
  | 'SINGLE_PAYMENT'
  /** What the platform pays out of what it holds, up to its limit in every period. */
  | 'TREASURY';

/** Where the payer's consent stands. */
export type GrantStatus =
  /** The payer said yes at their wallet. */
  | 'APPROVED'
  /** The payer has to decide at `redirectUrl`, until `expiresAt`. */
  | 'AWAITING_APPROVAL'
  /** It is not needed any more; nothing more can be taken with it. */
  | 'ENDED'
  /** The payer did not decide in time, or the time that they approved is over. */
  | 'EXPIRED'
  /** The wallet's answer was lost. The payer is asked again, or renewGrant asks. */
  | 'LOST'
  /** The payer said no. */
  | 'REJECTED'
  /** The payer took it back at their wallet. */
  | 'REVOKED'
  /** Another grant of the same payment took its place. */
  | 'SUPERSEDED';

/** A step with a job, and so a button to show. */
export type JobAction =
  /** Ask to do the work, with applyToJob. */
  | 'APPLY'
  /** End it early, with cancelJob. */
  | 'CANCEL'
  /** Stop taking applications, with closeRecruiting. */
  | 'CLOSE_RECRUITING'
  /** End it with what was accepted, with completeJob. */
  | 'COMPLETE'
  /** Make a draft like it, with duplicateJob. */
  | 'DUPLICATE'
  /** Change it, with updateJob. */
  | 'EDIT'
  /** Move deadlines away, with extendJob. */
  | 'EXTEND'
  /** Put the whole budget behind it, with fundJob. */
  | 'FUND'
  /** Secure the pay of those who are selected and let the work begin, with preFundJob. */
  | 'PRE_FUND'
  /** Open it for applications, with publishJob. */
  | 'PUBLISH'
  /** Take applications again, with reopenRecruiting. */
  | 'REOPEN'
  /** Decide about a submission, with reviewSubmission. */
  | 'REVIEW'
  /** Decide about applications, with decideApplications. */
  | 'SELECT'
  /** Hand in work, with saveSubmission and then submitWork. */
  | 'SUBMIT';

/** Which jobs to list. Each field narrows; left out, it does not. */
export type JobFilter = {
  /** Those whose money is in one of these states. */
  assurance?: InputMaybe<Array<FundingAssurance>>;
  /** Those that ask for this kind of work. */
  deliverable?: InputMaybe<DeliverableType>;
  /** Without those that one has applied to. For a visitor that is all of them. */
  hideApplied?: InputMaybe<Scalars['Boolean']['input']>;
  /** A BCP 47 tag, with all of its regions: es finds es-MX. */
  languageTag?: InputMaybe<Scalars['String']['input']>;
  /** One's own only, drafts included. */
  mine?: InputMaybe<Scalars['Boolean']['input']>;
  /** Those that pay at least this, in the same asset and scale. */
  rewardMin?: InputMaybe<AmountInput>;
  /** Those at one of these stages. */
  status?: InputMaybe<Array<JobStatus>>;
  /** At most 10 words: each has to begin a word of title or description. Case and accents do not count. */
  text?: InputMaybe<Scalars['String']['input']>;
};

/** Names one job. */
export type JobIdInput = {
  /** As `Job.id` gives it. */
  jobId: Scalars['ID']['input'];
};

/** What an owner says about a job. */
export type JobInput = {
  /** Whether money closes recruiting, once somebody has applied. */
  closeRecruitingWhenFunded?: InputMaybe<Scalars['Boolean']['input']>;
  /** What workers hand in: at least one of each. A draft may leave it empty. */
  deliverables: Array<DeliverableType>;
  /** At most 20000 characters; a draft may leave it empty. */
  description: Scalars['String']['input'];
  /** The variety of the language, in at most 100 characters. */
  dialect?: InputMaybe<Scalars['String']['input']>;
  /** After recruitUntil. Left out: recruitUntil + submitDays + reviewDays. */
  expiresAt?: InputMaybe<Scalars['DateTime']['input']>;
  /** A BCP 47 tag such as nah or es-MX. Left out: any language. */
  languageTag?: InputMaybe<Scalars['String']['input']>;
  /** Whose side is exact when two assets meet. Left out: FIXED_RECEIVE. */
  pricing?: InputMaybe<Pricing>;
  /** So many applications close recruiting: workersNeeded to 10000. Left out: 10, or workersNeeded when that is more. */
  recruitLimit?: InputMaybe<Scalars['Int']['input']>;
  /** When recruiting ends at the latest. Left out: 7 days after publishing. */
  recruitUntil?: InputMaybe<Scalars['DateTime']['input']>;
  /** Files to show with it: at most 10 of one's own. */
  referenceFileIds?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** Days for the review, then silence accepts: 1 to 365. Left out: 14. */
  reviewDays?: InputMaybe<Scalars['Int']['input']>;
  /** What each worker gets for accepted work: more than 0, with scale 0 to 9. */
  reward: AmountInput;
  /** Days for the work: 1 to 365. Left out: 7. */
  submitDays?: InputMaybe<Scalars['Int']['input']>;
  /** 1 to 200 characters. */
  title: Scalars['String']['input'];
  /** The title read aloud: a file of one's own. */
  titleAudioFileId?: InputMaybe<Scalars['ID']['input']>;
  /** How many people can be selected: 1 to 1000. */
  workersNeeded?: Scalars['Int']['input'];
};

/** The order of a list of jobs. */
export type JobOrder =
  /** The next end of recruiting first; only jobs that recruit. */
  | 'DEADLINE'
  /** The newest first. */
  | 'NEWEST'
  /** What fits filter.text best first; a word in the title counts most. Among the 500 newest jobs with these words. */
  | 'RELEVANCE'
  /** The highest reward first, in the asset that filter.rewardMin has to name. */
  | 'REWARD';

/** Where a job is in its life; the last three are final. */
export type JobStatus =
  /** Ended early by its owner or an operator; what was accepted stays owed. */
  | 'CANCELED'
  /** All work is accepted in full; or its owner, or time, ended it with what is accepted. */
  | 'COMPLETE'
  /** Its owner writes it; besides them only operators and auditors see it. */
  | 'DRAFT'
  /** Ended by a deadline: nobody applied, nobody was selected, or no work came. */
  | 'EXPIRED'
  /** Takes applications, until `recruitUntil` or `recruitLimit`. */
  | 'RECRUITING'
  /** All have handed in, or the time is over: the owner decides about what there is. */
  | 'REVIEWING'
  /** Takes no more applications: the owner selects, and secures the pay. */
  | 'SELECTING'
  /** The pay of the selected is secured, and they hand in work, until `submitUntil`. */
  | 'SUBMITTING';

/** The credentials of an account. */
export type LogInInput = {
  /** To tell sessions apart later. */
  deviceName?: Scalars['String']['input'];
  /** As at signUp; case does not count. */
  email: Scalars['String']['input'];
  /** As it was set last. */
  password: Scalars['String']['input'];
};

/** What somebody may be mailed about. */
export type MailCategory =
  /** Pay and refunds that arrived, and money that needs something done. */
  | 'MONEY'
  /** What was not done yet, before time decides. */
  | 'REMINDERS'
  /** Being selected, work, reviews and disputes. */
  | 'WORK';

/** A claim to what was not accepted of one's reward. */
export type OpenDisputeInput = {
  /** At most 10 of one's own files. */
  evidenceFileIds?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** Why it should be paid: 1 to 5000 characters. */
  reason: Scalars['String']['input'];
  /** One's own decided submission. */
  submissionId: Scalars['ID']['input'];
};

/** Which payments to list. */
export type PaymentFilter = {
  /** Those behind this job. Left out: any. */
  jobId?: InputMaybe<Scalars['ID']['input']>;
  /** Those for one of these. Left out: any. */
  purpose?: InputMaybe<Array<PaymentPurpose>>;
  /** Those that stand at one of these. Left out: any. */
  status?: InputMaybe<Array<PaymentStatus>>;
};

/** Why money moves. */
export type PaymentPurpose =
  /** From a payer, to stand behind a job. */
  | 'FUND'
  /** To a worker, for accepted work. */
  | 'PAYOUT'
  /** To the platform, for the payouts that have arrived. */
  | 'PLATFORM_FEE'
  /** Back to a payer. */
  | 'REFUND';

/** Where a payment stands. Only COMPLETED says that the receiver has the money. UNKNOWN: the wallet's answer was lost and is being found out; nothing is sent twice. */
export type PaymentStatus =
  /** The payer has consented; nothing is sent yet. */
  | 'AUTHORIZED'
  /** The payer has to decide at `grant.redirectUrl`. */
  | 'AWAITING_APPROVAL'
  /** It was called off before anything was sent. Final. */
  | 'CANCELED'
  /** The receiver's wallet shows the money. Final. */
  | 'COMPLETED'
  /** Being prepared: receiver, quote and the question to the payer. */
  | 'CREATED'
  /** The payer did not decide in time. Nothing was charged. Final. */
  | 'EXPIRED'
  /** It ended without arriving in full: see `failure`. Final. */
  | 'FAILED'
  /** The payer's wallet has named its price, and that is within the consent. */
  | 'QUOTED'
  /** The payer said no. Nothing was charged. Final. */
  | 'REJECTED'
  /** The order to pay is going out. */
  | 'SENDING'
  /** The payer's wallet has taken the order; the money is on its way. */
  | 'SENT'
  /** The answer to that order was lost; it is found out before anything is sent again. */
  | 'UNKNOWN';

/** Secure the pay of the selected workers. The server knows the sum. */
export type PreFundJobInput = {
  /** Refuse when reward × selected, and the platform's fee on it at the rate of today, differ from what the user was shown. */
  expectedTotal?: InputMaybe<AmountInput>;
  /** A fresh one per decision. Repeating it gives the same funding. */
  idempotencyKey: Scalars['UUID']['input'];
  /** The job whose work is to begin. */
  jobId: Scalars['ID']['input'];
  /** Who is to hold what is not secured yet: PREAPPROVED or ESCROW. */
  mode?: FundingMode;
  /** One of one's own to pay from. Left out: the default one. */
  payerWalletId?: InputMaybe<Scalars['ID']['input']>;
  /** Where the payer's browser goes after the wallet, if consent is needed; its origin must be listed. */
  returnUrl: Scalars['URL']['input'];
};

/** What to ask the wallets about. */
export type PreviewFundingInput = {
  /** One's own. */
  jobId: Scalars['ID']['input'];
  /** Who is to hold the money. */
  mode?: FundingMode;
  /** One of one's own to pay from. Left out: the default one. */
  payerWalletId?: InputMaybe<Scalars['ID']['input']>;
  /** In mode DIRECT, a seller's slug. Left out: the default seller. */
  sellerId?: InputMaybe<Scalars['String']['input']>;
};

/** Whose side is exact when two assets meet. */
export type Pricing =
  /** Each worker receives the reward, and so needs a wallet in the job's asset. */
  | 'FIXED_RECEIVE'
  /** The reward is sent; the worker's wallet receives what it becomes in its own asset. */
  | 'FIXED_SEND';

/** What changes of one's profile; what is left out stays as it is. */
export type ProfileInput = {
  /** A READY picture of one's own, which everybody sees then; null for none. */
  avatarFileId?: InputMaybe<Scalars['ID']['input']>;
  /** At most 1000 characters; null for nothing. */
  bio?: InputMaybe<Scalars['String']['input']>;
  /** 1 to 80 printable characters; it cannot be null. */
  displayName?: InputMaybe<Scalars['String']['input']>;
  /** At most 20 BCP 47 tags, best first; null for none. */
  languages?: InputMaybe<Array<Scalars['String']['input']>>;
  /** en or es; null for the language that each request asks for. */
  locale?: InputMaybe<Scalars['String']['input']>;
  /** All that one wants mails about; null or empty for none. */
  notify?: InputMaybe<Array<MailCategory>>;
};

/** What to take back of a funding that is held. */
export type RefundFundingInput = {
  /** In the job's asset. Left out: all that is promised to nobody. */
  amount?: InputMaybe<AmountInput>;
  /** One that one pays, in mode ESCROW. */
  fundingId: Scalars['ID']['input'];
  /** A fresh one per decision. */
  idempotencyKey: Scalars['UUID']['input'];
};

/** Ask for the consent behind a funding again. */
export type RenewGrantInput = {
  /** One that one pays, in mode PREAPPROVED. */
  fundingId: Scalars['ID']['input'];
  /** A fresh one per decision. */
  idempotencyKey: Scalars['UUID']['input'];
  /** Another of one's wallets, to pay from then on; null: the one there is. */
  payerWalletId?: InputMaybe<Scalars['ID']['input']>;
  /** Where the payer's browser goes after the wallet; its origin must be listed. */
  returnUrl: Scalars['URL']['input'];
};

/** A job that takes applications again. */
export type ReopenRecruitingInput = {
  /** One's own, SELECTING. */
  jobId: Scalars['ID']['input'];
  /** More than there are applications. Left out: as before, or 10 more if reached. */
  recruitLimit?: InputMaybe<Scalars['Int']['input']>;
  /** When recruiting ends now; before the job expires. */
  recruitUntil: Scalars['DateTime']['input'];
};

/** One event to bring again. */
export type ReplayDeliveryInput = {
  /** Of an endpoint of one's own; for operators of anybody's. */
  deliveryId: Scalars['ID']['input'];
};

/** Which events are brought again: `since`, or `topic` with `after`, not both. */
export type ReplayInput = {
  /** What is behind this cursor of the topic. */
  after?: InputMaybe<Scalars['EventCursor']['input']>;
  /** One of one's own that is active; for operators anybody's. */
  endpointId: Scalars['ID']['input'];
  /** Also what it took already, for a receiver that lost it. */
  includeDelivered?: Scalars['Boolean']['input'];
  /** Of all topics, what happened then or later. */
  since?: InputMaybe<Scalars['DateTime']['input']>;
  /** Of this one, as a webhook's body or a delivery names it. */
  topic?: InputMaybe<Scalars['String']['input']>;
};

/** What is to be taken away, and of which time. */
export type RequestExportInput = {
  /** Entries from then on. Left out: from the beginning. */
  from?: InputMaybe<Scalars['DateTime']['input']>;
  /** What; by default one's own entries of the books. */
  scope?: ExportScope;
  /** Entries before then. Left out: until the file is read. */
  until?: InputMaybe<Scalars['DateTime']['input']>;
};

/** An operator's decision: both shares are what is disputed. */
export type ResolveDisputeInput = {
  /** RESPONDED or ESCALATED. */
  disputeId: Scalars['ID']['input'];
  /** A fresh one per decision. Repeating it changes nothing again. */
  idempotencyKey: Scalars['UUID']['input'];
  /** Why; 1 to 5000 characters, for both sides. */
  note: Scalars['String']['input'];
  /** For the payer; may be 0. */
  payerShare: AmountInput;
  /** For the worker; may be 0. */
  workerShare: AmountInput;
};

/** How a payment ended, as an operator has found out by other ways. */
export type ResolveUnknownInput = {
  /** With FAILED the part that arrived, in the receiver's asset; null: nothing. With COMPLETED needed only where what was to arrive was never fixed. */
  arrived?: InputMaybe<AmountInput>;
  /** What left the payer's wallet, in its asset; null: what the payment's quote says. Needed between two assets before there was a quote. */
  debited?: InputMaybe<AmountInput>;
  /** Where that can be seen: a page of the wallet, a provider's ticket. Nothing is read from there. Another one than the proposal's. */
  evidenceUrl: Scalars['URL']['input'];
  /** A fresh one per decision. */
  idempotencyKey: Scalars['UUID']['input'];
  /** What is to be seen there: at most 2000 characters. */
  note: Scalars['String']['input'];
  /** COMPLETED: all of it arrived. FAILED: nothing did, or no more than `arrived`, and nothing can any more. */
  outcome: PaymentStatus;
  /** One that is past its deadline and UNKNOWN, or SENT with an open discrepancy; or one with the open discrepancy CANNOT_LOOK_UP. Not one's own. */
  paymentId: Scalars['ID']['input'];
};

/** An owner's answer to a dispute. */
export type RespondToDisputeInput = {
  /** About work for a job of one's own, and OPEN. */
  disputeId: Scalars['ID']['input'];
  /** At most 10 of one's own files. */
  evidenceFileIds?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** What to say to it: 1 to 5000 characters. */
  response: Scalars['String']['input'];
};

/** A payment to try again. */
export type RetryPaymentInput = {
  /** A fresh one per decision. */
  idempotencyKey: Scalars['UUID']['input'];
  /** One that failed: to a worker, back to its payer, or of the platform's fee. */
  paymentId: Scalars['ID']['input'];
};

/** What an owner says to submitted work. */
export type ReviewDecision =
  /** Pay for all of it, or for `amount`. */
  | 'ACCEPT'
  /** Pay nothing for it. The worker can dispute that for 5 days. */
  | 'REJECT'
  /** Ask for another revision, within the job's submitDays. */
  | 'REQUEST_CHANGES';

/** What becomes of submitted work. */
export type ReviewSubmissionInput = {
  /** With ACCEPT: this much of what is not accepted yet, at least a twentieth of the reward. Left out: all of it. */
  amount?: InputMaybe<AmountInput>;
  /** At most 5000 characters. REQUEST_CHANGES and REJECT need it. */
  comment?: InputMaybe<Scalars['String']['input']>;
  /** What the owner says. */
  decision: ReviewDecision;
  /** A fresh one per decision. Repeating it changes nothing again. */
  idempotencyKey: Scalars['UUID']['input'];
  /** Handed in for a job of one's own, and not superseded. */
  submissionId: Scalars['ID']['input'];
};

/** What the platform entrusts somebody with. */
export type Role =
  /** Sees everything, and changes nothing that is not theirs. */
  | 'AUDITOR'
  /** Sees everything, splits disputes, cancels jobs, and uses the admin. */
  | 'OPERATOR';

/** The draft of one's work: what is left out is cleared. */
export type SaveSubmissionInput = {
  /** At most 20 of one's own files. */
  fileIds?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** One that the viewer is selected for. */
  jobId: Scalars['ID']['input'];
  /** At most 20 web addresses, with https:// or http://. */
  links?: InputMaybe<Array<Scalars['URL']['input']>>;
  /** Words to the owner: at most 5000 characters. */
  note?: InputMaybe<Scalars['String']['input']>;
  /** The work itself: at most 50000 characters. */
  text?: InputMaybe<Scalars['String']['input']>;
};

/** A session of one's own. */
export type SessionIdInput = {
  /** As `Session.id` gives it. */
  sessionId: Scalars['ID']['input'];
};

/** A new account. */
export type SignUpInput = {
  /** The name others see. */
  displayName: Scalars['String']['input'];
  /** Used to log in; nobody else sees it. */
  email: Scalars['String']['input'];
  /** en or es. Left out: the language this request asks for. */
  locale?: InputMaybe<Scalars['String']['input']>;
  /** 8 to 256 characters, not a common one, and not like the name or address. */
  password: Scalars['String']['input'];
};

/** A step with a submission, and so a button to show. */
export type SubmissionAction =
  /** reviewSubmission with ACCEPT, for the job's owner. */
  | 'ACCEPT'
  /** acknowledgeDecision, for its worker. */
  | 'ACKNOWLEDGE'
  /** openDispute, for its worker. */
  | 'DISPUTE'
  /** saveSubmission, for its worker. */
  | 'EDIT'
  /** reviewSubmission with REJECT, for the job's owner. */
  | 'REJECT'
  /** reviewSubmission with REQUEST_CHANGES, for the job's owner. */
  | 'REQUEST_CHANGES'
  /** submitWork, for its worker. */
  | 'SUBMIT';

/** Which submissions to list. */
export type SubmissionFilter = {
  /** Those that came to one of these. Left out: any. */
  status?: InputMaybe<Array<SubmissionStatus>>;
  /** True: only revisions that a newer one replaced; false: only the others. Left out: both. */
  superseded?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Names one submission. */
export type SubmissionIdInput = {
  /** One's own, by its `id`. */
  submissionId: Scalars['ID']['input'];
};

/** What became of one revision of a worker's work. */
export type SubmissionStatus =
  /** Paid for as much as `accepted` says. */
  | 'ACCEPTED'
  /** Waits for the worker's next revision, until `reviseUntil`. */
  | 'CHANGES_REQUESTED'
  /** The worker claims what was not accepted: see `dispute`. */
  | 'DISPUTED'
  /** Only its worker sees it, and can change it. */
  | 'DRAFT'
  /** Not paid for. It can be disputed until `disputeUntil`. */
  | 'REJECTED'
  /** Waits for the owner. Their silence until `reviewBy` accepts it in full. */
  | 'SUBMITTED';

/** A job as it is to be from now on: what is left out is cleared. */
export type UpdateJobInput = {
  /** The version that the user saw; the job must still be at it. */
  expectedVersion: Scalars['Int']['input'];
  /** All of it. While the job recruits its terms have to stay as they are; deadlines and the limit can be left out then. */
  job: JobInput;
  /** One's own, a draft or recruiting. */
  jobId: Scalars['ID']['input'];
};

/** What is to change of an endpoint; what is left out stays. */
export type UpdateWebhookInput = {
  /** Switch it off, or on again after it was switched off. */
  active?: InputMaybe<Scalars['Boolean']['input']>;
  /** One of one's own. */
  endpointId: Scalars['ID']['input'];
  /** The names it asks for from now on, all of them. */
  events?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Where requests go from now on. */
  url?: InputMaybe<Scalars['URL']['input']>;
};

/** A file to be uploaded. */
export type UploadInput = {
  /** What it is, such as audio/webm: images, sound, film, PDF and text are taken. */
  mediaType: Scalars['String']['input'];
  /** What to call it. Folders in it are left out. */
  name: Scalars['String']['input'];
  /** The digest of all of its bytes, in 64 hexadecimal digits. */
  sha256: Scalars['String']['input'];
  /** Its length in bytes, at least 1; the operator sets the most. */
  size: Scalars['Int']['input'];
};

/** A wallet of one's own. */
export type WalletIdInput = {
  /** As `Wallet.id` gives it. */
  walletId: Scalars['ID']['input'];
};

/** Whether an event was taken. */
export type WebhookDeliveryStatus =
  /** The endpoint answered with 2xx. */
  | 'DELIVERED'
  /** Given up after the last try, or the endpoint was off. replayEvents brings it. */
  | 'MISSED'
  /** It is being brought, or tried again at nextAttemptAt. */
  | 'PENDING';

/** Why an endpoint is off. */
export type WebhookDisabledBecause =
  /** It took nothing for five days. */
  | 'FAILING'
  /** It answered 410, which asks for no more. */
  | 'GONE'
  /** Its owner switched it off. */
  | 'OWNER';

/** An endpoint of one's own. */
export type WebhookEndpointIdInput = {
  /** One of one's own. */
  endpointId: Scalars['ID']['input'];
};

/** What was wrong with an attempt. Values may be added. */
export type WebhookFlaw =
  /** An answer came that is no proper HTTP, or is compressed unasked. */
  | 'BAD_ANSWER'
  /** The URL leads to where we do not go, such as a private network. */
  | 'FORBIDDEN'
  /** It answered, and not with 2xx; redirects are not followed. */
  | 'REFUSED'
  /** It did not answer within 15 seconds. */
  | 'TIMEOUT'
  /** Nobody could be connected to, or the connection broke. */
  | 'UNREACHABLE';

/** How an endpoint wants to be told. */
export type WebhookFormat =
  /** The flat object of the integration guide, for payment.completed and payment.failed of payments that fund a job: handlers written for the guide take it unchanged. */
  | 'GUIDE'
  /** Type, timestamp and data, as Standard Webhooks recommends, with a cursor. */
  | 'STANDARD';

/** A URL to be told what happens. */
export type WebhookInput = {
  /** Names such as payment.status, or beginnings such as user.*, or * for all that one may hear: docs/webhooks.md lists them. */
  events: Array<Scalars['String']['input']>;
  /** Hear what concerns others too. For operators and auditors. */
  everything?: Scalars['Boolean']['input'];
  /** How it wants to be told; it cannot change. */
  format?: WebhookFormat;
  /** https on the public internet; redirects are not followed. */
  url: Scalars['URL']['input'];
};

export type JobsQueryVariables = Exact<{
  filter?: InputMaybe<JobFilter>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type JobsQuery = { jobs: { edges: Array<{ node: { id: string, title: string, languageTag: string | null, status: JobStatus, fundingAssurance: FundingAssurance, recruitUntil: string | null, reward: { value: string, assetCode: string, assetScale: number }, owner: { id: string, displayName: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type MyWorkQueryVariables = Exact<{
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type MyWorkQuery = { myApplications: { edges: Array<{ node: { id: string, status: ApplicationStatus, job: { id: string, title: string, languageTag: string | null, status: JobStatus, fundingAssurance: FundingAssurance, recruitUntil: string | null, reward: { value: string, assetCode: string, assetScale: number }, owner: { id: string, displayName: string } | null } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type JobPageQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type JobPageQuery = { job: { description: string, version: number, workersNeeded: number, submitUntil: string | null, allowedActions: Array<JobAction>, id: string, title: string, languageTag: string | null, status: JobStatus, fundingAssurance: FundingAssurance, recruitUntil: string | null, totalBudget: { value: string, assetCode: string, assetScale: number }, applications: { edges: Array<{ node: { id: string, status: ApplicationStatus, note: string | null, allowedActions: Array<ApplicationAction>, applicant: { id: string, displayName: string } | null } }> }, submissions: { edges: Array<{ node: { id: string, revision: number, status: SubmissionStatus, text: string | null, comment: string | null, reviewBy: string | null, allowedActions: Array<SubmissionAction>, reward: { value: string, assetCode: string, assetScale: number }, accepted: { value: string, assetCode: string, assetScale: number }, worker: { id: string, displayName: string } | null, payouts: Array<{ id: string, purpose: PaymentPurpose, status: PaymentStatus, deliveredAmount: { value: string, assetCode: string, assetScale: number }, failure: { code: ErrorCode, message: string, retryable: boolean } | null, receipt: { number: string, jws: string, verifyUrl: string } | null }> } }> }, fundings: { edges: Array<{ node: { id: string, mode: FundingMode, status: FundingStatus, allowedActions: Array<FundingAction>, total: { value: string, assetCode: string, assetScale: number }, released: { value: string, assetCode: string, assetScale: number }, remaining: { value: string, assetCode: string, assetScale: number }, grants: Array<{ id: string, status: GrantStatus, redirectUrl: string | null, validUntil: string | null, maxDebit: { value: string, assetCode: string, assetScale: number } | null }> } }> }, reward: { value: string, assetCode: string, assetScale: number }, owner: { id: string, displayName: string } | null } | null };

export type CreateJobMutationVariables = Exact<{
  input: JobInput;
}>;


export type CreateJobMutation = { createJob: { job: { id: string, version: number, status: JobStatus, allowedActions: Array<JobAction> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type PublishJobMutationVariables = Exact<{
  input: JobIdInput;
}>;


export type PublishJobMutation = { publishJob: { job: { id: string, status: JobStatus, allowedActions: Array<JobAction> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type CancelJobMutationVariables = Exact<{
  input: CancelJobInput;
}>;


export type CancelJobMutation = { cancelJob: { job: { id: string, status: JobStatus, allowedActions: Array<JobAction> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type CompleteJobMutationVariables = Exact<{
  input: JobIdInput;
}>;


export type CompleteJobMutation = { completeJob: { job: { id: string, status: JobStatus, allowedActions: Array<JobAction> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type ApplyMutationVariables = Exact<{
  input: ApplyInput;
}>;


export type ApplyMutation = { applyToJob: { application: { id: string, status: ApplicationStatus, note: string | null, allowedActions: Array<ApplicationAction>, applicant: { id: string, displayName: string } | null } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type WithdrawApplicationMutationVariables = Exact<{
  input: ApplicationIdInput;
}>;


export type WithdrawApplicationMutation = { withdrawApplication: { application: { id: string, status: ApplicationStatus, note: string | null, allowedActions: Array<ApplicationAction>, applicant: { id: string, displayName: string } | null } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type DecideApplicationsMutationVariables = Exact<{
  input: DecideApplicationsInput;
}>;


export type DecideApplicationsMutation = { decideApplications: { applications: Array<{ id: string, status: ApplicationStatus, note: string | null, allowedActions: Array<ApplicationAction>, applicant: { id: string, displayName: string } | null }>, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type SaveWorkMutationVariables = Exact<{
  input: SaveSubmissionInput;
}>;


export type SaveWorkMutation = { saveSubmission: { submission: { id: string, revision: number, status: SubmissionStatus, text: string | null, comment: string | null, reviewBy: string | null, allowedActions: Array<SubmissionAction>, reward: { value: string, assetCode: string, assetScale: number }, accepted: { value: string, assetCode: string, assetScale: number }, worker: { id: string, displayName: string } | null, payouts: Array<{ id: string, purpose: PaymentPurpose, status: PaymentStatus, deliveredAmount: { value: string, assetCode: string, assetScale: number }, failure: { code: ErrorCode, message: string, retryable: boolean } | null, receipt: { number: string, jws: string, verifyUrl: string } | null }> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type SubmitWorkMutationVariables = Exact<{
  input: SubmissionIdInput;
}>;


export type SubmitWorkMutation = { submitWork: { submission: { id: string, revision: number, status: SubmissionStatus, text: string | null, comment: string | null, reviewBy: string | null, allowedActions: Array<SubmissionAction>, reward: { value: string, assetCode: string, assetScale: number }, accepted: { value: string, assetCode: string, assetScale: number }, worker: { id: string, displayName: string } | null, payouts: Array<{ id: string, purpose: PaymentPurpose, status: PaymentStatus, deliveredAmount: { value: string, assetCode: string, assetScale: number }, failure: { code: ErrorCode, message: string, retryable: boolean } | null, receipt: { number: string, jws: string, verifyUrl: string } | null }> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type ReviewMutationVariables = Exact<{
  input: ReviewSubmissionInput;
}>;


export type ReviewMutation = { reviewSubmission: { submission: { id: string, revision: number, status: SubmissionStatus, text: string | null, comment: string | null, reviewBy: string | null, allowedActions: Array<SubmissionAction>, reward: { value: string, assetCode: string, assetScale: number }, accepted: { value: string, assetCode: string, assetScale: number }, worker: { id: string, displayName: string } | null, payouts: Array<{ id: string, purpose: PaymentPurpose, status: PaymentStatus, deliveredAmount: { value: string, assetCode: string, assetScale: number }, failure: { code: ErrorCode, message: string, retryable: boolean } | null, receipt: { number: string, jws: string, verifyUrl: string } | null }> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type AcknowledgeDecisionMutationVariables = Exact<{
  input: SubmissionIdInput;
}>;


export type AcknowledgeDecisionMutation = { acknowledgeDecision: { submission: { id: string, revision: number, status: SubmissionStatus, text: string | null, comment: string | null, reviewBy: string | null, allowedActions: Array<SubmissionAction>, reward: { value: string, assetCode: string, assetScale: number }, accepted: { value: string, assetCode: string, assetScale: number }, worker: { id: string, displayName: string } | null, payouts: Array<{ id: string, purpose: PaymentPurpose, status: PaymentStatus, deliveredAmount: { value: string, assetCode: string, assetScale: number }, failure: { code: ErrorCode, message: string, retryable: boolean } | null, receipt: { number: string, jws: string, verifyUrl: string } | null }> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type JobCardFragment = { id: string, title: string, languageTag: string | null, status: JobStatus, fundingAssurance: FundingAssurance, recruitUntil: string | null, reward: { value: string, assetCode: string, assetScale: number }, owner: { id: string, displayName: string } | null };

export type ApplicationPartsFragment = { id: string, status: ApplicationStatus, note: string | null, allowedActions: Array<ApplicationAction>, applicant: { id: string, displayName: string } | null };

export type MyApplicationFragment = { id: string, status: ApplicationStatus, job: { id: string, title: string, languageTag: string | null, status: JobStatus, fundingAssurance: FundingAssurance, recruitUntil: string | null, reward: { value: string, assetCode: string, assetScale: number }, owner: { id: string, displayName: string } | null } | null };

export type SubmissionPartsFragment = { id: string, revision: number, status: SubmissionStatus, text: string | null, comment: string | null, reviewBy: string | null, allowedActions: Array<SubmissionAction>, reward: { value: string, assetCode: string, assetScale: number }, accepted: { value: string, assetCode: string, assetScale: number }, worker: { id: string, displayName: string } | null, payouts: Array<{ id: string, purpose: PaymentPurpose, status: PaymentStatus, deliveredAmount: { value: string, assetCode: string, assetScale: number }, failure: { code: ErrorCode, message: string, retryable: boolean } | null, receipt: { number: string, jws: string, verifyUrl: string } | null }> };

export type PreviewFundingQueryVariables = Exact<{
  input: PreviewFundingInput;
}>;


export type PreviewFundingQuery = { previewFunding: { lines: Array<{ isPlatformFee: boolean, impliedRate: string | null, payee: { id: string, displayName: string } | null, receiveAmount: { value: string, assetCode: string, assetScale: number }, debitAmount: { value: string, assetCode: string, assetScale: number }, cost: { value: string, assetCode: string, assetScale: number } | null }>, total: { value: string, assetCode: string, assetScale: number }, debit: { value: string, assetCode: string, assetScale: number }, maxDebit: { value: string, assetCode: string, assetScale: number } } };

export type FundJobMutationVariables = Exact<{
  input: FundJobInput;
}>;


export type FundJobMutation = { fundJob: { funding: { id: string, mode: FundingMode, status: FundingStatus, allowedActions: Array<FundingAction>, total: { value: string, assetCode: string, assetScale: number }, released: { value: string, assetCode: string, assetScale: number }, remaining: { value: string, assetCode: string, assetScale: number }, grants: Array<{ id: string, status: GrantStatus, redirectUrl: string | null, validUntil: string | null, maxDebit: { value: string, assetCode: string, assetScale: number } | null }> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type PreFundJobMutationVariables = Exact<{
  input: PreFundJobInput;
}>;


export type PreFundJobMutation = { preFundJob: { funding: { id: string, mode: FundingMode, status: FundingStatus, allowedActions: Array<FundingAction>, total: { value: string, assetCode: string, assetScale: number }, released: { value: string, assetCode: string, assetScale: number }, remaining: { value: string, assetCode: string, assetScale: number }, grants: Array<{ id: string, status: GrantStatus, redirectUrl: string | null, validUntil: string | null, maxDebit: { value: string, assetCode: string, assetScale: number } | null }> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type RenewGrantMutationVariables = Exact<{
  input: RenewGrantInput;
}>;


export type RenewGrantMutation = { renewGrant: { funding: { id: string, mode: FundingMode, status: FundingStatus, allowedActions: Array<FundingAction>, total: { value: string, assetCode: string, assetScale: number }, released: { value: string, assetCode: string, assetScale: number }, remaining: { value: string, assetCode: string, assetScale: number }, grants: Array<{ id: string, status: GrantStatus, redirectUrl: string | null, validUntil: string | null, maxDebit: { value: string, assetCode: string, assetScale: number } | null }> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type CancelFundingMutationVariables = Exact<{
  input: CancelFundingInput;
}>;


export type CancelFundingMutation = { cancelFunding: { funding: { id: string, mode: FundingMode, status: FundingStatus, allowedActions: Array<FundingAction>, total: { value: string, assetCode: string, assetScale: number }, released: { value: string, assetCode: string, assetScale: number }, remaining: { value: string, assetCode: string, assetScale: number }, grants: Array<{ id: string, status: GrantStatus, redirectUrl: string | null, validUntil: string | null, maxDebit: { value: string, assetCode: string, assetScale: number } | null }> } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type ConfirmGrantMutationVariables = Exact<{
  input: ConfirmGrantInput;
}>;


export type ConfirmGrantMutation = { confirmGrant: { grant: { id: string, status: GrantStatus } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type FundingProgressSubscriptionVariables = Exact<{
  id: Scalars['ID']['input'];
  after?: InputMaybe<Scalars['EventCursor']['input']>;
}>;


export type FundingProgressSubscription = { fundingStatus: { cursor: string, status: FundingStatus, terminal: boolean, funding: { id: string, mode: FundingMode, status: FundingStatus, allowedActions: Array<FundingAction>, total: { value: string, assetCode: string, assetScale: number }, released: { value: string, assetCode: string, assetScale: number }, remaining: { value: string, assetCode: string, assetScale: number }, grants: Array<{ id: string, status: GrantStatus, redirectUrl: string | null, validUntil: string | null, maxDebit: { value: string, assetCode: string, assetScale: number } | null }> } } };

export type PaymentProgressSubscriptionVariables = Exact<{
  id: Scalars['ID']['input'];
  after?: InputMaybe<Scalars['EventCursor']['input']>;
}>;


export type PaymentProgressSubscription = { paymentStatus: { cursor: string, status: PaymentStatus, terminal: boolean, payment: { id: string, purpose: PaymentPurpose, status: PaymentStatus, grant: { status: GrantStatus, redirectUrl: string | null, expiresAt: string | null } | null, deliveredAmount: { value: string, assetCode: string, assetScale: number }, failure: { code: ErrorCode, message: string, retryable: boolean } | null, receipt: { number: string, jws: string, verifyUrl: string } | null } } };

export type FundingPartsFragment = { id: string, mode: FundingMode, status: FundingStatus, allowedActions: Array<FundingAction>, total: { value: string, assetCode: string, assetScale: number }, released: { value: string, assetCode: string, assetScale: number }, remaining: { value: string, assetCode: string, assetScale: number }, grants: Array<{ id: string, status: GrantStatus, redirectUrl: string | null, validUntil: string | null, maxDebit: { value: string, assetCode: string, assetScale: number } | null }> };

export type PaymentPartsFragment = { id: string, purpose: PaymentPurpose, status: PaymentStatus, deliveredAmount: { value: string, assetCode: string, assetScale: number }, failure: { code: ErrorCode, message: string, retryable: boolean } | null, receipt: { number: string, jws: string, verifyUrl: string } | null };

export type SignUpMutationVariables = Exact<{
  input: SignUpInput;
}>;


export type SignUpMutation = { signUp: { token: string | null, user: { id: string, displayName: string, locale: string | null } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type LogInMutationVariables = Exact<{
  input: LogInInput;
}>;


export type LogInMutation = { logIn: { token: string | null, user: { id: string, displayName: string, locale: string | null } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type LogOutMutationVariables = Exact<{ [key: string]: never; }>;


export type LogOutMutation = { logOut: { errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type AddWalletMutationVariables = Exact<{
  input: AddWalletInput;
}>;


export type AddWalletMutation = { addWallet: { wallet: { id: string, address: string, publicName: string | null, assetCode: string, assetScale: number, isDefault: boolean } | null, errors: Array<
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
      | { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean }
    > } };

export type MeQueryVariables = Exact<{ [key: string]: never; }>;


export type MeQuery = { viewer: { email: string | null, id: string, displayName: string, locale: string | null, wallets: Array<{ id: string, address: string, publicName: string | null, assetCode: string, assetScale: number, isDefault: boolean }> } | null, myMoney: Array<{ earned: { value: string, assetCode: string, assetScale: number }, spent: { value: string, assetCode: string, assetScale: number }, promisedToMe: { value: string, assetCode: string, assetScale: number }, promisedByMe: { value: string, assetCode: string, assetScale: number } }> };

export type MineSubscriptionVariables = Exact<{
  after?: InputMaybe<Scalars['EventCursor']['input']>;
}>;


export type MineSubscription = { viewerEvents: { cursor: string, node: { id: string, type: string, at: string, subjectId: string | null, data: string } | null } };

export type MissedQueryVariables = Exact<{
  after?: InputMaybe<Scalars['EventCursor']['input']>;
}>;


export type MissedQuery = { events: { endCursor: string, hasNextPage: boolean, edges: Array<{ cursor: string, node: { id: string, type: string, at: string, subjectId: string | null, data: string } | null }> } };

export type PersonFragment = { id: string, displayName: string, locale: string | null };

export type WalletPartsFragment = { id: string, address: string, publicName: string | null, assetCode: string, assetScale: number, isDefault: boolean };

export type HappeningFragment = { id: string, type: string, at: string, subjectId: string | null, data: string };

export type SumFragment = { value: string, assetCode: string, assetScale: number };

type Refusal_AmountChangedError_Fragment = { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean, actual: { value: string, assetCode: string, assetScale: number } };

type Refusal_AssetMismatchError_Fragment = { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean };

type Refusal_InvalidTransitionError_Fragment = { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean };

type Refusal_Refusal_Fragment = { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean };

type Refusal_ValidationError_Fragment = { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean };

type Refusal_WalletError_Fragment = { code: ErrorCode, message: string, path: Array<string> | null, retryable: boolean };

export type RefusalFragment =
  | Refusal_AmountChangedError_Fragment
  | Refusal_AssetMismatchError_Fragment
  | Refusal_InvalidTransitionError_Fragment
  | Refusal_Refusal_Fragment
  | Refusal_ValidationError_Fragment
  | Refusal_WalletError_Fragment
;

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const ApplicationPartsFragmentDoc = new TypedDocumentString(`
    fragment ApplicationParts on Application {
  id
  status
  note
  allowedActions
  applicant {
    id
    displayName
  }
}
    `, {"fragmentName":"ApplicationParts"}) as unknown as TypedDocumentString<ApplicationPartsFragment, unknown>;
export const SumFragmentDoc = new TypedDocumentString(`
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}
    `, {"fragmentName":"Sum"}) as unknown as TypedDocumentString<SumFragment, unknown>;
export const JobCardFragmentDoc = new TypedDocumentString(`
    fragment JobCard on Job {
  id
  title
  languageTag
  status
  fundingAssurance
  recruitUntil
  reward {
    ...Sum
  }
  owner {
    id
    displayName
  }
}
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}`, {"fragmentName":"JobCard"}) as unknown as TypedDocumentString<JobCardFragment, unknown>;
export const MyApplicationFragmentDoc = new TypedDocumentString(`
    fragment MyApplication on Application {
  id
  status
  job {
    ...JobCard
  }
}
    fragment JobCard on Job {
  id
  title
  languageTag
  status
  fundingAssurance
  recruitUntil
  reward {
    ...Sum
  }
  owner {
    id
    displayName
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}`, {"fragmentName":"MyApplication"}) as unknown as TypedDocumentString<MyApplicationFragment, unknown>;
export const PaymentPartsFragmentDoc = new TypedDocumentString(`
    fragment PaymentParts on Payment {
  id
  purpose
  status
  deliveredAmount {
    ...Sum
  }
  failure {
    code
    message
    retryable
  }
  receipt {
    number
    jws
    verifyUrl
  }
}
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}`, {"fragmentName":"PaymentParts"}) as unknown as TypedDocumentString<PaymentPartsFragment, unknown>;
export const SubmissionPartsFragmentDoc = new TypedDocumentString(`
    fragment SubmissionParts on Submission {
  id
  revision
  status
  text
  comment
  reviewBy
  allowedActions
  reward {
    ...Sum
  }
  accepted {
    ...Sum
  }
  worker {
    id
    displayName
  }
  payouts {
    ...PaymentParts
  }
}
    fragment PaymentParts on Payment {
  id
  purpose
  status
  deliveredAmount {
    ...Sum
  }
  failure {
    code
    message
    retryable
  }
  receipt {
    number
    jws
    verifyUrl
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}`, {"fragmentName":"SubmissionParts"}) as unknown as TypedDocumentString<SubmissionPartsFragment, unknown>;
export const FundingPartsFragmentDoc = new TypedDocumentString(`
    fragment FundingParts on Funding {
  id
  mode
  status
  allowedActions
  total {
    ...Sum
  }
  released {
    ...Sum
  }
  remaining {
    ...Sum
  }
  grants {
    id
    status
    redirectUrl
    maxDebit {
      ...Sum
    }
    validUntil
  }
}
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}`, {"fragmentName":"FundingParts"}) as unknown as TypedDocumentString<FundingPartsFragment, unknown>;
export const PersonFragmentDoc = new TypedDocumentString(`
    fragment Person on User {
  id
  displayName
  locale
}
    `, {"fragmentName":"Person"}) as unknown as TypedDocumentString<PersonFragment, unknown>;
export const WalletPartsFragmentDoc = new TypedDocumentString(`
    fragment WalletParts on Wallet {
  id
  address
  publicName
  assetCode
  assetScale
  isDefault
}
    `, {"fragmentName":"WalletParts"}) as unknown as TypedDocumentString<WalletPartsFragment, unknown>;
export const HappeningFragmentDoc = new TypedDocumentString(`
    fragment Happening on Event {
  id
  type
  at
  subjectId
  data
}
    `, {"fragmentName":"Happening"}) as unknown as TypedDocumentString<HappeningFragment, unknown>;
export const RefusalFragmentDoc = new TypedDocumentString(`
    fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}`, {"fragmentName":"Refusal"}) as unknown as TypedDocumentString<RefusalFragment, unknown>;
export const JobsDocument = new TypedDocumentString(`
    query Jobs($filter: JobFilter, $after: String) {
  jobs(first: 20, after: $after, filter: $filter, orderBy: NEWEST) {
    edges {
      node {
        ...JobCard
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment JobCard on Job {
  id
  title
  languageTag
  status
  fundingAssurance
  recruitUntil
  reward {
    ...Sum
  }
  owner {
    id
    displayName
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}`) as unknown as TypedDocumentString<JobsQuery, JobsQueryVariables>;
export const MyWorkDocument = new TypedDocumentString(`
    query MyWork($after: String) {
  myApplications(first: 20, after: $after) {
    edges {
      node {
        ...MyApplication
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment JobCard on Job {
  id
  title
  languageTag
  status
  fundingAssurance
  recruitUntil
  reward {
    ...Sum
  }
  owner {
    id
    displayName
  }
}
fragment MyApplication on Application {
  id
  status
  job {
    ...JobCard
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}`) as unknown as TypedDocumentString<MyWorkQuery, MyWorkQueryVariables>;
export const JobPageDocument = new TypedDocumentString(`
    query JobPage($id: ID!) {
  job(id: $id) {
    ...JobCard
    description
    version
    workersNeeded
    totalBudget {
      ...Sum
    }
    submitUntil
    allowedActions
    applications(first: 20) {
      edges {
        node {
          ...ApplicationParts
        }
      }
    }
    submissions(first: 20, filter: {superseded: false}) {
      edges {
        node {
          ...SubmissionParts
        }
      }
    }
    fundings(first: 5) {
      edges {
        node {
          ...FundingParts
        }
      }
    }
  }
}
    fragment JobCard on Job {
  id
  title
  languageTag
  status
  fundingAssurance
  recruitUntil
  reward {
    ...Sum
  }
  owner {
    id
    displayName
  }
}
fragment ApplicationParts on Application {
  id
  status
  note
  allowedActions
  applicant {
    id
    displayName
  }
}
fragment SubmissionParts on Submission {
  id
  revision
  status
  text
  comment
  reviewBy
  allowedActions
  reward {
    ...Sum
  }
  accepted {
    ...Sum
  }
  worker {
    id
    displayName
  }
  payouts {
    ...PaymentParts
  }
}
fragment FundingParts on Funding {
  id
  mode
  status
  allowedActions
  total {
    ...Sum
  }
  released {
    ...Sum
  }
  remaining {
    ...Sum
  }
  grants {
    id
    status
    redirectUrl
    maxDebit {
      ...Sum
    }
    validUntil
  }
}
fragment PaymentParts on Payment {
  id
  purpose
  status
  deliveredAmount {
    ...Sum
  }
  failure {
    code
    message
    retryable
  }
  receipt {
    number
    jws
    verifyUrl
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}`) as unknown as TypedDocumentString<JobPageQuery, JobPageQueryVariables>;
export const CreateJobDocument = new TypedDocumentString(`
    mutation CreateJob($input: JobInput!) {
  createJob(input: $input) {
    job {
      id
      version
      status
      allowedActions
    }
    errors {
      ...Refusal
    }
  }
}
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<CreateJobMutation, CreateJobMutationVariables>;
export const PublishJobDocument = new TypedDocumentString(`
    mutation PublishJob($input: JobIdInput!) {
  publishJob(input: $input) {
    job {
      id
      status
      allowedActions
    }
    errors {
      ...Refusal
    }
  }
}
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<PublishJobMutation, PublishJobMutationVariables>;
export const CancelJobDocument = new TypedDocumentString(`
    mutation CancelJob($input: CancelJobInput!) {
  cancelJob(input: $input) {
    job {
      id
      status
      allowedActions
    }
    errors {
      ...Refusal
    }
  }
}
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<CancelJobMutation, CancelJobMutationVariables>;
export const CompleteJobDocument = new TypedDocumentString(`
    mutation CompleteJob($input: JobIdInput!) {
  completeJob(input: $input) {
    job {
      id
      status
      allowedActions
    }
    errors {
      ...Refusal
    }
  }
}
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<CompleteJobMutation, CompleteJobMutationVariables>;
export const ApplyDocument = new TypedDocumentString(`
    mutation Apply($input: ApplyInput!) {
  applyToJob(input: $input) {
    application {
      ...ApplicationParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment ApplicationParts on Application {
  id
  status
  note
  allowedActions
  applicant {
    id
    displayName
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<ApplyMutation, ApplyMutationVariables>;
export const WithdrawApplicationDocument = new TypedDocumentString(`
    mutation WithdrawApplication($input: ApplicationIdInput!) {
  withdrawApplication(input: $input) {
    application {
      ...ApplicationParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment ApplicationParts on Application {
  id
  status
  note
  allowedActions
  applicant {
    id
    displayName
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<WithdrawApplicationMutation, WithdrawApplicationMutationVariables>;
export const DecideApplicationsDocument = new TypedDocumentString(`
    mutation DecideApplications($input: DecideApplicationsInput!) {
  decideApplications(input: $input) {
    applications {
      ...ApplicationParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment ApplicationParts on Application {
  id
  status
  note
  allowedActions
  applicant {
    id
    displayName
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<DecideApplicationsMutation, DecideApplicationsMutationVariables>;
export const SaveWorkDocument = new TypedDocumentString(`
    mutation SaveWork($input: SaveSubmissionInput!) {
  saveSubmission(input: $input) {
    submission {
      ...SubmissionParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment SubmissionParts on Submission {
  id
  revision
  status
  text
  comment
  reviewBy
  allowedActions
  reward {
    ...Sum
  }
  accepted {
    ...Sum
  }
  worker {
    id
    displayName
  }
  payouts {
    ...PaymentParts
  }
}
fragment PaymentParts on Payment {
  id
  purpose
  status
  deliveredAmount {
    ...Sum
  }
  failure {
    code
    message
    retryable
  }
  receipt {
    number
    jws
    verifyUrl
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<SaveWorkMutation, SaveWorkMutationVariables>;
export const SubmitWorkDocument = new TypedDocumentString(`
    mutation SubmitWork($input: SubmissionIdInput!) {
  submitWork(input: $input) {
    submission {
      ...SubmissionParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment SubmissionParts on Submission {
  id
  revision
  status
  text
  comment
  reviewBy
  allowedActions
  reward {
    ...Sum
  }
  accepted {
    ...Sum
  }
  worker {
    id
    displayName
  }
  payouts {
    ...PaymentParts
  }
}
fragment PaymentParts on Payment {
  id
  purpose
  status
  deliveredAmount {
    ...Sum
  }
  failure {
    code
    message
    retryable
  }
  receipt {
    number
    jws
    verifyUrl
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<SubmitWorkMutation, SubmitWorkMutationVariables>;
export const ReviewDocument = new TypedDocumentString(`
    mutation Review($input: ReviewSubmissionInput!) {
  reviewSubmission(input: $input) {
    submission {
      ...SubmissionParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment SubmissionParts on Submission {
  id
  revision
  status
  text
  comment
  reviewBy
  allowedActions
  reward {
    ...Sum
  }
  accepted {
    ...Sum
  }
  worker {
    id
    displayName
  }
  payouts {
    ...PaymentParts
  }
}
fragment PaymentParts on Payment {
  id
  purpose
  status
  deliveredAmount {
    ...Sum
  }
  failure {
    code
    message
    retryable
  }
  receipt {
    number
    jws
    verifyUrl
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<ReviewMutation, ReviewMutationVariables>;
export const AcknowledgeDecisionDocument = new TypedDocumentString(`
    mutation AcknowledgeDecision($input: SubmissionIdInput!) {
  acknowledgeDecision(input: $input) {
    submission {
      ...SubmissionParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment SubmissionParts on Submission {
  id
  revision
  status
  text
  comment
  reviewBy
  allowedActions
  reward {
    ...Sum
  }
  accepted {
    ...Sum
  }
  worker {
    id
    displayName
  }
  payouts {
    ...PaymentParts
  }
}
fragment PaymentParts on Payment {
  id
  purpose
  status
  deliveredAmount {
    ...Sum
  }
  failure {
    code
    message
    retryable
  }
  receipt {
    number
    jws
    verifyUrl
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<AcknowledgeDecisionMutation, AcknowledgeDecisionMutationVariables>;
export const PreviewFundingDocument = new TypedDocumentString(`
    query PreviewFunding($input: PreviewFundingInput!) {
  previewFunding(input: $input) {
    lines {
      payee {
        id
        displayName
      }
      isPlatformFee
      receiveAmount {
        ...Sum
      }
      debitAmount {
        ...Sum
      }
      cost {
        ...Sum
      }
      impliedRate
    }
    total {
      ...Sum
    }
    debit {
      ...Sum
    }
    maxDebit {
      ...Sum
    }
  }
}
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}`) as unknown as TypedDocumentString<PreviewFundingQuery, PreviewFundingQueryVariables>;
export const FundJobDocument = new TypedDocumentString(`
    mutation FundJob($input: FundJobInput!) {
  fundJob(input: $input) {
    funding {
      ...FundingParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment FundingParts on Funding {
  id
  mode
  status
  allowedActions
  total {
    ...Sum
  }
  released {
    ...Sum
  }
  remaining {
    ...Sum
  }
  grants {
    id
    status
    redirectUrl
    maxDebit {
      ...Sum
    }
    validUntil
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<FundJobMutation, FundJobMutationVariables>;
export const PreFundJobDocument = new TypedDocumentString(`
    mutation PreFundJob($input: PreFundJobInput!) {
  preFundJob(input: $input) {
    funding {
      ...FundingParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment FundingParts on Funding {
  id
  mode
  status
  allowedActions
  total {
    ...Sum
  }
  released {
    ...Sum
  }
  remaining {
    ...Sum
  }
  grants {
    id
    status
    redirectUrl
    maxDebit {
      ...Sum
    }
    validUntil
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<PreFundJobMutation, PreFundJobMutationVariables>;
export const RenewGrantDocument = new TypedDocumentString(`
    mutation RenewGrant($input: RenewGrantInput!) {
  renewGrant(input: $input) {
    funding {
      ...FundingParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment FundingParts on Funding {
  id
  mode
  status
  allowedActions
  total {
    ...Sum
  }
  released {
    ...Sum
  }
  remaining {
    ...Sum
  }
  grants {
    id
    status
    redirectUrl
    maxDebit {
      ...Sum
    }
    validUntil
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<RenewGrantMutation, RenewGrantMutationVariables>;
export const CancelFundingDocument = new TypedDocumentString(`
    mutation CancelFunding($input: CancelFundingInput!) {
  cancelFunding(input: $input) {
    funding {
      ...FundingParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment FundingParts on Funding {
  id
  mode
  status
  allowedActions
  total {
    ...Sum
  }
  released {
    ...Sum
  }
  remaining {
    ...Sum
  }
  grants {
    id
    status
    redirectUrl
    maxDebit {
      ...Sum
    }
    validUntil
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<CancelFundingMutation, CancelFundingMutationVariables>;
export const ConfirmGrantDocument = new TypedDocumentString(`
    mutation ConfirmGrant($input: ConfirmGrantInput!) {
  confirmGrant(input: $input) {
    grant {
      id
      status
    }
    errors {
      ...Refusal
    }
  }
}
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<ConfirmGrantMutation, ConfirmGrantMutationVariables>;
export const FundingProgressDocument = new TypedDocumentString(`
    subscription FundingProgress($id: ID!, $after: EventCursor) {
  fundingStatus(fundingId: $id, after: $after) {
    cursor
    status
    terminal
    funding {
      ...FundingParts
    }
  }
}
    fragment FundingParts on Funding {
  id
  mode
  status
  allowedActions
  total {
    ...Sum
  }
  released {
    ...Sum
  }
  remaining {
    ...Sum
  }
  grants {
    id
    status
    redirectUrl
    maxDebit {
      ...Sum
    }
    validUntil
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}`) as unknown as TypedDocumentString<FundingProgressSubscription, FundingProgressSubscriptionVariables>;
export const PaymentProgressDocument = new TypedDocumentString(`
    subscription PaymentProgress($id: ID!, $after: EventCursor) {
  paymentStatus(paymentId: $id, after: $after) {
    cursor
    status
    terminal
    payment {
      ...PaymentParts
      grant {
        status
        redirectUrl
        expiresAt
      }
    }
  }
}
    fragment PaymentParts on Payment {
  id
  purpose
  status
  deliveredAmount {
    ...Sum
  }
  failure {
    code
    message
    retryable
  }
  receipt {
    number
    jws
    verifyUrl
  }
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}`) as unknown as TypedDocumentString<PaymentProgressSubscription, PaymentProgressSubscriptionVariables>;
export const SignUpDocument = new TypedDocumentString(`
    mutation SignUp($input: SignUpInput!) {
  signUp(input: $input) {
    token
    user {
      ...Person
    }
    errors {
      ...Refusal
    }
  }
}
    fragment Person on User {
  id
  displayName
  locale
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<SignUpMutation, SignUpMutationVariables>;
export const LogInDocument = new TypedDocumentString(`
    mutation LogIn($input: LogInInput!) {
  logIn(input: $input) {
    token
    user {
      ...Person
    }
    errors {
      ...Refusal
    }
  }
}
    fragment Person on User {
  id
  displayName
  locale
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<LogInMutation, LogInMutationVariables>;
export const LogOutDocument = new TypedDocumentString(`
    mutation LogOut {
  logOut {
    errors {
      ...Refusal
    }
  }
}
    fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<LogOutMutation, LogOutMutationVariables>;
export const AddWalletDocument = new TypedDocumentString(`
    mutation AddWallet($input: AddWalletInput!) {
  addWallet(input: $input) {
    wallet {
      ...WalletParts
    }
    errors {
      ...Refusal
    }
  }
}
    fragment WalletParts on Wallet {
  id
  address
  publicName
  assetCode
  assetScale
  isDefault
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}
fragment Refusal on UserError {
  code
  message
  path
  retryable
  ... on AmountChangedError {
    actual {
      ...Sum
    }
  }
}`) as unknown as TypedDocumentString<AddWalletMutation, AddWalletMutationVariables>;
export const MeDocument = new TypedDocumentString(`
    query Me {
  viewer {
    ...Person
    email
    wallets {
      ...WalletParts
    }
  }
  myMoney {
    earned {
      ...Sum
    }
    spent {
      ...Sum
    }
    promisedToMe {
      ...Sum
    }
    promisedByMe {
      ...Sum
    }
  }
}
    fragment Person on User {
  id
  displayName
  locale
}
fragment WalletParts on Wallet {
  id
  address
  publicName
  assetCode
  assetScale
  isDefault
}
fragment Sum on Amount {
  value
  assetCode
  assetScale
}`) as unknown as TypedDocumentString<MeQuery, MeQueryVariables>;
export const MineDocument = new TypedDocumentString(`
    subscription Mine($after: EventCursor) {
  viewerEvents(after: $after) {
    cursor
    node {
      ...Happening
    }
  }
}
    fragment Happening on Event {
  id
  type
  at
  subjectId
  data
}`) as unknown as TypedDocumentString<MineSubscription, MineSubscriptionVariables>;
export const MissedDocument = new TypedDocumentString(`
    query Missed($after: EventCursor) {
  events(first: 50, after: $after) {
    edges {
      cursor
      node {
        ...Happening
      }
    }
    endCursor
    hasNextPage
  }
}
    fragment Happening on Event {
  id
  type
  at
  subjectId
  data
}`) as unknown as TypedDocumentString<MissedQuery, MissedQueryVariables>;