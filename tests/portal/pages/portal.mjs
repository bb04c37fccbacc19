// What the pages do in the browser: three kinds of forms are filled with the help of the daemon, or of the portal itself,
// and sent as any other form is.
import { connect, TamgaError } from './tamga.mjs';

const { lang } = document.documentElement;
const port = Number(document.body.dataset.tamga);

/** Runs `work` with a client, the button being off meanwhile; what went wrong is told beside it. */
async function withClient(form, work) {
  const outcome = form.querySelector('.outcome');
  const button = form.querySelector('button');
  button.disabled = true;
  outcome.textContent = '…';
  let client;
  try {
    client = await connect({ language: lang, port });
    const filled = await work(client);
    for (const [name, value] of Object.entries(filled)) form.elements[name].value = value;
    outcome.textContent = '';
    form.submit();
  } catch (error) {
    if (!(error instanceof TamgaError)) throw error;
    outcome.textContent = error.words(lang);
    outcome.dataset.reason = error.reason;
  } finally {
    client?.close();
    button.disabled = false;
  }
}

/** Base64 of text: a form's own way of sending would change the ends of its lines. */
const encoded = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

const asks = {
  authenticate: async (client, { dataset }) => {
    const { statement, signature, certificate } = await client.authenticate({ challenge: dataset.authenticate });
    return { statement: encoded(statement), signature, certificate };
  },
  sign: async (client, { dataset }) => {
    const content = document.querySelector('#text').textContent;
    const { format, signatures: [signature] } = await client.sign({ ...JSON.parse(dataset.sign), documents: [{ content, title: dataset.title }] });
    return { signature: format === 'xml' ? encoded(signature) : signature };
  },
};

for (const [kind, ask] of Object.entries(asks)) {
  for (const form of document.querySelectorAll(`form[data-${kind}]`)) {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      withClient(form, (client) => ask(client, form));
    });
  }
}

/** Waits until the application has answered; then the form beside the picture is sent. */
async function watch(element) {
  for (;;) {
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
    const answer = await fetch(element.dataset.qr).catch(() => undefined);
    const { state } = answer?.ok ? await answer.json() : { state: 'shown' };
    if (state === 'confirmed') return element.querySelector('form').submit();
    if (state !== 'shown') return element.classList.add('spent');
  }
}
for (const element of document.querySelectorAll('[data-qr]')) watch(element);
