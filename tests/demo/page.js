// The demo page's own code: four buttons over the public client.
'use strict';

const port = new URLSearchParams(window.location.search).get('port') ?? '13579';
const scheme = new URLSearchParams(window.location.search).get('scheme') ?? 'ws';
const element = (id) => document.getElementById(id);
const encode = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const escape = (text) => text.replace(/[&<]/g, (c) => (c === '&' ? '&amp;' : '&lt;'));

let connected;
function client() {
  connected ??= (async () => {
    const made = new NCALayerClient(`${scheme}://127.0.0.1:${port}`, false);
    await made.connect();
    made.wsConnection.addEventListener('close', () => { connected = undefined; });
    return made;
  })();
  return connected;
}

function on(id, action) {
  element(id).addEventListener('click', async () => {
    element('result').textContent = 'Waiting for an answer...';
    try {
      const result = await action(await client(), element('text').value);
      element('result').textContent = typeof result === 'string' ? result : JSON.stringify(result, null, 2);
    } catch (error) {
      element('result').textContent = String(error.message ?? error);
    }
  });
}

on('tokens', (ncalayer) => ncalayer.getActiveTokens());
on('key', (ncalayer) => ncalayer.getKeyInfo('AKKaztokenStore'));
on('cms', (ncalayer, text) => ncalayer.createCAdESFromBase64('AKKaztokenStore', encode(text)));
on('xml', (ncalayer, text) => ncalayer.signXml('AKKaztokenStore', `<request>${escape(text)}</request>`));
