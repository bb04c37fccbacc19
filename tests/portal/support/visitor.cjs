// A visitor of the portal without a browser: keeps the cookie, fills forms in, and signs with openssl and xmlsec1 what a
// page wants signed.
'use strict';

const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Portal } = require('../portal.cjs');
const { password } = require('../people.cjs');

/** A portal in a folder of its own, whose clock a test may put on. */
async function startPortal(options = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'portal-test-'));
  let ahead = 0;
  const portal = await Portal.start({ folder, now: () => Math.floor(Date.now() / 1000) + ahead, ...options });
  portal.wait = (seconds) => { ahead += seconds; };
  portal.end = async () => {
    await portal.stop();
    fs.rmSync(folder, { recursive: true });
  };
  return portal;
}

const unescaped = (text) => text.replace(/&#(\d+);/g, (all, code) => String.fromCharCode(code));

/** Runs openssl or xmlsec1 over files given by their content; gives what it printed. */
function tool(program, args, files = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'portal-test-'));
  try {
    for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), content);
    return execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, OPENSSL_CONF: path.resolve(__dirname, '../../data/gost.cnf') } });
  } finally { fs.rmSync(folder, { recursive: true }); }
}

/** An attached CMS (CAdES-BES). @param pair as Portal.makeKey gives it */
const signCms = ({ key, pem }, text) => tool('openssl', ['cms', '-sign', '-cades', '-binary', '-nodetach', '-md', 'sha256', '-signer', 'certificate.pem', '-inkey', 'key.pem',
  '-outform', 'DER', '-in', 'text'], { 'key.pem': key, 'certificate.pem': pem, text });

const template = (algorithm) => `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#${algorithm}-sha256"/>
<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"/></ds:Transforms>
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>
<ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo></ds:Signature>`;
const signXml = ({ key, pem, kind }, text) => tool('xmlsec1', ['--sign', '--privkey-pem', 'key.pem,certificate.pem', 'text.xml'],
  { 'key.pem': key, 'certificate.pem': pem, 'text.xml': text.replace(/<\/\w+>$/, (end) => template(kind === 'rsa' ? 'rsa' : 'ecdsa') + end) });

/** What `authenticate` of tamga.v1 gives. */
function statement(pair, origin, challenge, time) {
  const print = crypto.createHash('sha256').update(pair.certificate).digest('hex');
  const text = `TAMGA-AUTHENTICATE-v1\norigin ${origin}\nchallenge ${challenge}\ncertificate ${print}\ntime ${time}\n`;
  const signature = tool('openssl', ['dgst', '-sha256', '-sign', 'key.pem', 'text'], { 'key.pem': pair.key, text });
  return { statement: Buffer.from(text).toString('base64'), signature: signature.toString('base64'), certificate: pair.certificate.toString('base64') };
}

/** A new key's request (PKCS#10), as of a person; { key, der }. EC unless RSA is wanted, whose keys take their time. */
function makeRequest({ iin, bin, rsa = false, name = 'ANY' }) {
  const key = tool('openssl', ['genpkey', ...(rsa ? ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] : ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'])]);
  const subject = `/CN=${name}/serialNumber=IIN${iin}/C=KZ${bin ? `/OU=BIN${bin}` : ''}`;
  return { key, der: tool('openssl', ['req', '-new', '-key', 'key.pem', '-subj', subject, '-outform', 'DER'], { 'key.pem': key }) };
}

class Visitor {
  constructor(portal, language = 'en') {
    this.portal = portal;
    this.cookies = { language };
  }

  /** Where it led to: { status, text, path, reason (of a refusal), octets }. */
  async ask(place, init = {}) {
    const cookie = Object.entries(this.cookies).map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(new URL(place, this.portal.origin), { redirect: 'manual', ...init, headers: { ...init.headers, cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = set.match(/^(\w+)=([^;]*)/);
      this.cookies[name] = value;
    }
    if (response.status === 303) return this.ask(response.headers.get('location'));
    const octets = Buffer.from(await response.arrayBuffer());
    const text = octets.toString();
    this.csrf = text.match(/name="csrf" value="([^"]*)"/)?.[1] ?? this.csrf;
    return { status: response.status, text, octets, headers: response.headers, path: new URL(response.url).pathname, reason: text.match(/data-reason="(\w+)"/)?.[1] };
  }
  get(place) { return this.ask(place); }
  async post(place, fields = {}) {
    if (!this.csrf) await this.get('/sign-in');
    const form = new FormData();
    for (const [name, value] of Object.entries({ csrf: this.csrf, ...fields })) form.set(name, Buffer.isBuffer(value) ? new Blob([value]) : value);
    return this.ask(place, { method: 'POST', body: form });
  }

  signInByPassword(login, typed = password) { return this.post('/sign-in/password', { login, password: typed }); }

  /** The first half: the challenge of the page, signed. */
  async answerChallenge(pair, { origin = this.portal.origin, time = this.portal.now() } = {}) {
    const { text } = await this.get('/sign-in');
    const [, challenge] = text.match(/data-authenticate="([^"]*)"/);
    return this.post('/sign-in/key', statement(pair, origin, unescaped(challenge), time));
  }
  /** The code of the last message to somebody's telephone. */
  code(login) {
    const row = this.portal.store.one('SELECT m.* FROM messages m JOIN people p USING (phone) WHERE login = ? AND delivered = 1 ORDER BY id DESC', login);
    return row?.text.slice(0, 6);
  }
  async signInByKey(login, pair) {
    const asked = await this.answerChallenge(pair);
    if (asked.path !== '/sign-in/code') return asked;
    return this.post('/sign-in/code', { code: this.code(login) });
  }
  /** By the application on the person's telephone, which opens the account of the keys. */
  async signInByQr(login) {
    const { text } = await this.get('/sign-in');
    const [, token] = text.match(/qr\.svg\?token=([\w-]+)"/);
    const phone = new Visitor(this.portal);
    await phone.post('/app', { token, device: `${login}-device`, answer: 'confirmed' });
    return this.post('/sign-in/qr');
  }

  /** Signs the document that a page shows. @param at what a post answered, or the document's place */
  async sign(at, pair, change = (text) => text) {
    const page = at.text ? at : await this.get(at);
    const [, text] = page.text.match(/<pre id="text">([^<]*)<\/pre>/) ?? [];
    if (!text) return page;
    const { format } = JSON.parse(unescaped(page.text.match(/data-sign="([^"]*)"/)[1]));
    const signature = (format === 'xml' ? signXml : signCms)(pair, change(unescaped(text)));
    return this.post(page.path, { signature: signature.toString('base64'), correct: 'yes' });
  }
}

module.exports = { Visitor, makeRequest, signCms, signXml, startPortal, statement, tool, unescaped };
