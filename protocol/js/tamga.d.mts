// Types of tamga.mjs. (TypeScript looks for the types of an .mjs in a .d.mts.) Members are those of docs/tamga-v1.md.

export type Language = 'kk' | 'ru' | 'en';

/** Why it did not work, as far as a page can know. Besides these, an error can have any word of docs/errors.md. */
export type Reason =
  | 'not_installed'
  | 'blocked_by_browser'
  | 'blocked_by_page'
  | 'page_not_accepted'
  | 'certificate_not_trusted'
  | 'site_not_allowed'
  | 'busy'
  | 'no_answer'
  | 'connection_lost'
  | 'closed'
  | 'not_supported'
  | 'too_large'
  | 'user_cancelled'
  | 'token_absent'
  | 'signing_failed';

export declare const reasons: readonly Reason[];

/** What happened and what to do next; undefined for what is none of `reasons`. */
export declare function words(reason: string, language: Language): string | undefined;

export declare class TamgaError extends Error {
  constructor(reason: string, more?: { language?: Language; message?: string; detail?: string; code?: number });
  readonly name: 'TamgaError';
  /** A `Reason`, or a word of docs/errors.md where the daemon refused. */
  readonly reason: string;
  /** For the page's developer: what is wrong with the request, or how the sockets ended. */
  readonly detail: string;
  /** The daemon's number for it. */
  readonly code?: number;
  /** With certificate_not_trusted: what the program that cannot be trusted says of itself. */
  readonly greeting?: Greeting;
  /** What happened and what to do next; as `message`, which is in the language of the connection. */
  words(language?: Language): string;
}

export interface ConnectOptions {
  /** Calls connecting off; of no effect later. */
  signal?: AbortSignal;
  /** Of the window and of all sentences; without it the browser's, where that is one of the three, else English. */
  language?: Language;
  /** Sign over ws:// too, where the browser does not trust the certificate: another program at the port would get the documents. */
  allowPlain?: boolean;
  /** Whether NCALayer's protocol will do where only that is answered. True without it. */
  ncalayer?: boolean;
  /** 13579 without it. */
  port?: number;
  onState?: (state: State) => void;
}

export interface State {
  /** browser_may_ask: nobody decided yet whether this site may reach programs on this computer, and the browser may ask now; waiting: for another try, or for the next call. */
  state: 'connecting' | 'browser_may_ask' | 'open' | 'waiting' | 'closed';
  protocol?: Protocol;
  secure?: boolean;
  /** With `waiting`: why. */
  error?: TamgaError;
  /** With `waiting`: ms until it is tried again; without it that is done when the page calls something. */
  retryIn?: number;
}

export type Protocol = 'tamga.v1' | 'ncalayer';

export interface CallOptions {
  /** Calls the request off, and its window with it; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

export interface Progress {
  stage: 'uploading' | 'asking' | 'signing' | 'stamping';
  /** Octets while uploading, else documents. */
  done: number;
  /** 0 where nothing is counted. */
  total: number;
}

/** A string is text, signed as UTF-8. What is longer than 64 KiB is uploaded in pieces. */
export type Octets = string | ArrayBuffer | ArrayBufferView | Blob;

export interface Document {
  content: Octets;
  /** Without them a File's own. */
  title?: string;
  media_type?: string;
  /** Of a document over 16 MiB: those of the keys that may sign it. */
  digests?: ('sha256' | 'streebog512' | 'streebog256')[];
}

export interface Signer {
  iin?: string;
  bin?: string;
  serial_number?: string;
  role?: 'any' | 'individual' | 'organisation' | 'head' | 'signatory' | 'financial_signatory' | 'personnel_officer' | 'employee';
  usages?: string[];
  storages?: string[];
}

interface Signing {
  format: 'cms' | 'xml' | 'raw';
  documents: (Octets | Document)[];
  on_behalf_of?: { name: string; id_number?: string; authority?: string };
  attached?: boolean;
  timestamp?: boolean;
  element?: string;
  signature_parent?: string;
  signer?: Signer;
}

export type SignRequest = Signing & ({ purpose: 'document' | 'key_account' } | { purpose: 'service_request'; service: string });

export interface Signed {
  format: 'cms' | 'xml' | 'raw';
  /** In the order of the documents: base64, XML as text. */
  signatures: string[];
  /** Of the signer, DER in base64. NCALayer does not tell. */
  certificate?: string;
}

export interface Authenticated {
  format: 'authenticate';
  statement: string;
  signature: string;
  certificate: string;
}

export interface Token {
  storage: string;
  family: string;
  name: string;
}

export interface Certificate {
  subject: string;
  common_name: string;
  iin?: string;
  bin?: string;
  issuer: string;
  serial_number: string;
  algorithm: string;
  not_before: string;
  not_after: string;
  usages: string[];
  pem: string;
}

/** As docs/tamga-v1.md describes the result of `verify`. */
export interface Report {
  form: 'cms' | 'xml';
  verdict: 'good' | 'unsettled' | 'bad';
  signers: ({ verdict: 'good' | 'unsettled' | 'bad'; signature: string } & Record<string, unknown>)[];
}

/** The result of `hello`; of NCALayer only `name`, which is then "ncalayer", and `version`. */
export interface Greeting {
  name: 'tamga' | 'ncalayer';
  version: string;
  build?: string;
  language?: Language;
  site?: 'allowed' | 'new' | 'refused';
  capabilities?: {
    formats: string[];
    algorithms: string[];
    digests: string[];
    limits: { message: number; shown_document: number; documents: number };
  };
}

/**
 * Who answers on this computer. A lost connection is made anew, later after each failure, and at once when something is
 * called; what was under way when it was lost rejects with connection_lost and is never sent again.
 */
export interface Client {
  /** What is spoken; undefined while there is no connection. */
  readonly protocol?: Protocol;
  /** False over ws://. */
  readonly secure?: boolean;
  readonly greeting?: Greeting;

  tokens(options?: CallOptions): Promise<Token[]>;
  /** Resolves, once `listener` was told what is plugged in now, with a function that ends it. */
  onTokens(listener: (tokens: Token[]) => void, options?: CallOptions): Promise<() => void>;
  /** The certificate that the person chooses, and no other. */
  certificates(wanted?: { signer?: Signer }, options?: CallOptions): Promise<Certificate[]>;
  sign(wanted: SignRequest, options?: CallOptions): Promise<Signed>;
  /** `challenge`: 16 to 1024 octets of the server's, or their base64. */
  authenticate(wanted: { challenge: string | ArrayBuffer | ArrayBufferView | Blob; signer?: Signer }, options?: CallOptions): Promise<Authenticated>;
  /** `at`: seconds since 1970. */
  verify(wanted: { document: Octets | Document; content?: Octets | Document; at?: number }, options?: CallOptions): Promise<Report>;
  /** Ends it for good; what is under way rejects with `closed`. */
  close(): void;
}

/** Rejects with a TamgaError that says why nobody answers, or with the reason of `signal`. */
export declare function connect(options?: ConnectOptions): Promise<Client>;
