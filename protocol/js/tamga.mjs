// What a page imports to have requests signed by Tamga: https://127.0.0.1:13579, protocol tamga.v1 (docs/tamga-v1.md), or
// NCALayer's where only that answers. One module without dependencies; README.md beside it shows how it is used and
// tamga.d.mts has every type. Names of parameters and members are those of the protocol's reference.
//
// From top to bottom: what is said to people; small tools; one socket; the two protocols; finding out who answers, and
// why nobody does; the client.

// ---- what is said to people ----

/** For every reason of this module: what happened, and what to do next. What the daemon refuses it explains itself. */
const sentences = {
  not_installed: {
    kk: 'Бұл компьютерде Tamga жауап бермейді: ол орнатылмаған немесе іске қосылмаған. Оны орнатыңыз немесе іске қосып, әрекетті қайталаңыз.',
    ru: 'Tamga на этом компьютере не отвечает: программа не установлена или не запущена. Установите или запустите её и повторите попытку.',
    en: 'Tamga does not answer on this computer: it is not installed, or it does not run. Install or start it and try again.',
  },
  blocked_by_browser: {
    kk: 'Браузер бұл сайтқа осы компьютердегі бағдарламаларға қосылуға рұқсат бермейді. Мекенжай жолындағы белгішені басып, осы құрылғыдағы қолданбаларға қатынасуға рұқсат беріңіз де, бетті қайта жүктеңіз. Суреттері бар түсіндірме: https://127.0.0.1:13579/.',
    ru: 'Браузер не даёт этому сайту обращаться к программам на этом компьютере. Нажмите значок в адресной строке, разрешите доступ к приложениям на этом устройстве и обновите страницу. Объяснение с картинками: https://127.0.0.1:13579/.',
    en: 'The browser does not let this site reach programs on this computer. Press the icon beside the address, allow access to apps on this device, and reload the page. Explained with pictures: https://127.0.0.1:13579/.',
  },
  blocked_by_page: {
    kk: 'Беттің өз қауіпсіздік ережесі (Content-Security-Policy) қосылуға тыйым салады. Бұл туралы сайт иесіне хабарлаңыз.',
    ru: 'Соединение запрещают собственные правила безопасности страницы (Content-Security-Policy). Сообщите об этом владельцу сайта.',
    en: 'The page\'s own rules (Content-Security-Policy) forbid the connection. Tell the owner of the site.',
  },
  page_not_accepted: {
    kk: 'Tamga тек https арқылы ашылған беттерге жауап береді, ал бұл бет ондай емес немесе шектелген жақтауда ашылған. Сайтты https мекенжайымен бөлек қойындыда ашыңыз.',
    ru: 'Tamga отвечает только страницам, открытым по https, а эта страница открыта иначе или в изолированном фрейме. Откройте сайт по адресу https в отдельной вкладке.',
    en: 'Tamga answers only pages that came over https; this one did not, or it is in a sandboxed frame. Open the site by its https address, in a tab of its own.',
  },
  certificate_not_trusted: {
    kk: 'Бағдарлама жұмыс істеп тұр, бірақ браузер оның сертификатына сенбейді. «tamga trust --install» пәрменін орындап, браузерді қайта іске қосыңыз.',
    ru: 'Программа работает, но браузер не доверяет её сертификату. Выполните команду «tamga trust --install» и перезапустите браузер.',
    en: 'The program runs, but the browser does not trust its certificate. Run "tamga trust --install" and restart the browser.',
  },
  site_not_allowed: {
    kk: 'Бұл сайтқа Tamga-ны пайдалануға тыйым салынған. Оған сенсеңіз, тыйым салынған сайттар тізімінен алып тастаңыз немесе компьютер әкімшісінен рұқсат беруін сұраңыз.',
    ru: 'Этому сайту нельзя пользоваться Tamga. Если вы ему доверяете, удалите его из списка запрещённых сайтов или попросите администратора компьютера разрешить его.',
    en: 'This site may not use Tamga. If you trust it, remove it from the list of refused sites, or ask the administrator of this computer to allow it.',
  },
  busy: {
    kk: 'Тым көп қосылым ашық. Осы сайттың басқа қойындыларын жауып, әрекетті қайталаңыз.',
    ru: 'Открыто слишком много соединений. Закройте другие вкладки этого сайта и повторите попытку.',
    en: 'Too many connections are open. Close other tabs of this site and try again.',
  },
  no_answer: {
    kk: 'Tamga портында бір бағдарлама бар, бірақ ол тиісінше жауап бермейді. Tamga-ны қайта іске қосыңыз; көмектеспесе, портты қай бағдарлама алып тұрғанын анықтап, оны жабыңыз.',
    ru: 'На порту Tamga есть программа, но она не отвечает как следует. Перезапустите Tamga; если это не поможет, найдите и закройте программу, занявшую порт.',
    en: 'There is a program at Tamga\'s port, but it does not answer as it should. Restart Tamga; if that does not help, find the program that has the port and close it.',
  },
  connection_lost: {
    kk: 'Жауап келгенше Tamga-мен байланыс үзілді. Ештеңе өздігінен қайта жіберілмейді: сұраудың орындалған-орындалмағанын тексеріп, қажет болса, қайталаңыз.',
    ru: 'Связь с Tamga прервалась до ответа. Само ничего не отправляется повторно: проверьте, выполнен ли запрос, и при необходимости повторите его.',
    en: 'The connection with Tamga was lost before the answer came. Nothing is sent again by itself: look whether the request was done, and repeat it if you need it.',
  },
  closed: {
    kk: 'Бет Tamga-мен байланысты жапты. Бетті қайта жүктеңіз.',
    ru: 'Страница закрыла соединение с Tamga. Обновите страницу.',
    en: 'The page has closed its connection with Tamga. Reload the page.',
  },
  not_supported: {
    kk: 'Бұл компьютердегі бағдарлама бұл әрекетті орындай алмайды: ол тек NCALayer протоколын біледі. Tamga-ны орнатып, әрекетті қайталаңыз.',
    ru: 'Программа на этом компьютере этого не умеет: она знает только протокол NCALayer. Установите Tamga и повторите попытку.',
    en: 'The program on this computer cannot do that: it knows NCALayer\'s protocol alone. Install Tamga and try again.',
  },
  too_large: {
    kk: 'Бір сұрауға арналған құжаттар тым үлкен. Аз-аздан жіберіңіз.',
    ru: 'Документы слишком велики для одного запроса. Отправляйте их меньшими частями.',
    en: 'The documents are too large for one request. Send fewer at a time.',
  },
  user_cancelled: {
    kk: 'Сіз сұраудан бас тарттыңыз. Ештеңеге қол қойылмады; қажет болса, сұрауды қайталаңыз.',
    ru: 'Вы отменили запрос. Ничего не подписано; при необходимости повторите его.',
    en: 'You cancelled the request. Nothing was signed; repeat it if you need it.',
  },
  token_absent: {
    kk: 'Токен табылмады. Токенді қосып, сұрауды қайталаңыз.',
    ru: 'Токен не найден. Подключите токен и повторите запрос.',
    en: 'No token was found. Plug it in and repeat the request.',
  },
  signing_failed: {
    kk: 'Бағдарлама қол қоя алмады. Бағдарламаның хабарын қарап, сұрауды қайталаңыз.',
    ru: 'Программа не смогла подписать. Посмотрите, что сообщила программа, и повторите запрос.',
    en: 'The program could not sign. Look at what it said, and repeat the request.',
  },
};

/** Every reason that this module itself gives; a TamgaError may also have a word of docs/errors.md, from the daemon. */
export const reasons = Object.freeze(Object.keys(sentences));
const languages = ['kk', 'ru', 'en'];

/** The sentence for one of `reasons`, or undefined. `language`: kk, ru or en. */
export function words(reason, language) {
  return Object.hasOwn(sentences, reason) ? sentences[reason][language] : undefined;
}

/** What can go wrong with Tamga. A page's own mistake is a TypeError, a request that was called off an AbortError. */
export class TamgaError extends Error {
  #language;

  constructor(reason, { language = 'en', message = words(reason, language) ?? reason, detail = '', code } = {}) {
    super(message);
    this.name = 'TamgaError';
    this.reason = reason;
    this.detail = detail;
    this.code = code;
    this.#language = language;
  }

  /** What happened and what to do next. The daemon's own sentences are in the language of the connection only. */
  words(language = this.#language) {
    return language === this.#language ? this.message : words(this.reason, language) ?? this.message;
  }
}

// ---- small tools ----

const inline = 64 * 1024; // octets of a document that travels in the request itself
const piece = 512 * 1024; // of one binary message
const ahead = 8 << 20; // octets that wait in the browser before more are read
const patience = 10_000; // ms for a socket to open and to greet
const patienceWithAPerson = 120_000; // the same while the browser asks a person
const glance = 1500; // ms: a refusal that took longer was made by a person
const steady = 10_000; // ms: a connection that lasted this long did not fail
const retry = { first: 500, most: 30_000 }; // ms

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** What `promise` gives, or `late` after `ms`; throws the reason of `signal` as soon as that is aborted. */
function unless(promise, { signal, ms, late } = {}) {
  return new Promise((resolve, reject) => {
    let timer;
    const called = () => end(reject, signal.reason);
    const end = (how, value) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', called);
      how(value);
    };
    if (signal?.aborted) { reject(signal.reason); return; }
    signal?.addEventListener('abort', called, { once: true });
    if (ms) timer = setTimeout(() => end(resolve, late), ms);
    promise.then((value) => end(resolve, value), (error) => end(reject, error));
  });
}

function toBase64(octets) {
  let text = '';
  for (let at = 0; at < octets.length; at += 0x8000) text += String.fromCharCode(...octets.subarray(at, at + 0x8000));
  return btoa(text);
}

/** What it is, also where it was made in another frame, whose classes are others. */
const kindOf = (given) => Object.prototype.toString.call(given).slice(8, -1);
const isBlob = (given) => given instanceof Blob || ['Blob', 'File'].includes(kindOf(given));

/** Octets that can be read a part at a time: text, ArrayBuffer, a view of one, Blob or File. */
class Octets {
  constructor(given, name) {
    this.text = typeof given === 'string' ? given : undefined;
    if (typeof given === 'string') this.array = new TextEncoder().encode(given);
    else if (kindOf(given) === 'ArrayBuffer') this.array = new Uint8Array(given);
    else if (ArrayBuffer.isView(given)) this.array = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
    else if (isBlob(given)) this.blob = given;
    else throw new TypeError(`${name} is no text, ArrayBuffer, view, Blob or File`);
  }

  get size() { return this.array?.length ?? this.blob.size; }
  async part(from, to) {
    return this.array?.subarray(from, to) ?? new Uint8Array(await this.blob.slice(from, to).arrayBuffer());
  }
  whole() { return this.part(0, this.size); }
}

const isBare = (given) => typeof given === 'string' || kindOf(given) === 'ArrayBuffer' || ArrayBuffer.isView(given) || isBlob(given);

/** A document as a page may give it: { octets, label }. What a File knows of itself is its title and type. */
function documentOf(given, name) {
  const { content, ...said } = isBare(given) ? { content: given } : given ?? {};
  const octets = new Octets(content, isBare(given) ? name : `${name}.content`);
  const known = {};
  if (octets.blob?.name) known.title = octets.blob.name;
  if (octets.blob?.type) known.media_type = octets.blob.type;
  return { octets, label: { ...known, ...said } };
}

// ---- one socket ----

/** A WebSocket whose messages wait until somebody listens. Throws what the constructor of WebSocket throws. */
class Wire {
  #unheard = [];
  #hear;
  #gone;

  constructor(url, protocol) {
    const began = Date.now();
    this.socket = protocol ? new WebSocket(url, protocol) : new WebSocket(url);
    this.socket.onmessage = ({ data }) => { if (this.#hear) this.#hear(data); else this.#unheard.push(data); };
    this.opened = new Promise((resolve) => {
      const end = ({ code, reason }) => {
        if (this.ended) return;
        this.ended = { code, reason, ms: Date.now() - began };
        resolve(false);
        this.#gone?.(this.ended);
      };
      this.socket.onopen = () => resolve(true);
      this.socket.onclose = end;
      // Its close tells more; where the page's own policy forbids the connection, Chromium lets none follow.
      this.socket.onerror = () => setTimeout(() => { if (this.socket.readyState === 3) end({ code: 1006, reason: '' }); }, 50);
    });
  }

  /** From now on each text is heard by `hear`, and the end by `gone`. */
  listen(hear, gone) {
    [this.#hear, this.#gone] = [hear, gone];
    for (const text of this.#unheard.splice(0)) hear(text);
    if (this.ended) gone(this.ended);
  }

  /** Ends it; nothing is heard of it any more. */
  close() {
    this.listen(() => {}, () => {});
    this.socket.close();
  }
}

/** What the end of a socket means for those who waited for an answer. */
function lossOf({ code, reason }) {
  if (code === 4403) return new Refusal('site_not_allowed', reason);
  if (code === 1013) return new Refusal('busy', reason);
  return new Refusal('connection_lost', `the socket was closed with ${code}${reason && `, ${reason}`}`);
}

/** A reason on its way to the client, which knows the language of the page. */
class Refusal {
  constructor(reason, detail = '', more = {}) { Object.assign(this, { reason, detail, ...more }); }
}

// ---- tamga.v1 ----

class TamgaSession {
  protocol = 'tamga.v1';
  #wire;
  #last = 0;
  #calls = new Map(); // by id: { resolve, reject, onProgress }
  #uploading = Promise.resolve();
  #tokens;
  #over; // why nothing can be asked any more

  constructor(wire, secure) {
    this.#wire = wire;
    this.secure = secure;
    this.ended = new Promise((resolve) => {
      wire.listen((text) => this.#hear(text), (end) => { this.#fail(lossOf(end)); resolve(lossOf(end)); });
    });
  }

  /** Who is there, in the language of the page; nothing where it is no Tamga. */
  async greet(language) {
    const answer = await this.call('hello', { language });
    if (answer?.name !== 'tamga') return false;
    this.greeting = answer;
    return true;
  }

  close() {
    this.#wire.close();
    this.#fail(new Refusal('closed'));
  }

  #fail(refusal) {
    this.#over ??= refusal;
    const waiting = [...this.#calls.values()];
    this.#calls.clear();
    for (const { reject } of waiting) reject(refusal);
  }

  #hear(text) {
    let message;
    try { message = JSON.parse(text); } catch { return; } // no Tamga: its greeting never comes
    if (message?.method === 'tokens.changed') { this.#tokens?.(message.params.tokens); return; }
    if (message?.method === 'sign.progress') {
      const { id, ...progress } = message.params;
      this.#calls.get(id)?.onProgress?.(progress);
      return;
    }
    const call = this.#calls.get(message?.id);
    if (!call) return; // it was called off
    this.#calls.delete(message.id);
    if (!message.error) { call.resolve(message.result); return; }
    const { code, data } = message.error;
    call.reject(new Refusal(data?.error ?? message.error.message, data?.detail, { code, message: data?.message, language: data?.language }));
  }

  /** { id, answer } of a request that is sent now. */
  #ask(method, params, onProgress) {
    if (this.#over) throw this.#over;
    const id = this.#last += 1;
    const text = JSON.stringify({ jsonrpc: '2.0', id, method, params });
    const most = this.greeting?.capabilities?.limits?.message ?? Infinity;
    // A character is three octets at most; only where that could be too many are they counted.
    if (text.length * 3 > most && new Blob([text]).size > most) throw new Refusal('too_large');
    const answer = new Promise((resolve, reject) => { this.#calls.set(id, { resolve, reject, onProgress }); });
    this.#wire.socket.send(text);
    return { id, answer };
  }

  /** The result of a request, which is called off when `signal` is aborted. */
  async call(method, params, { signal, onProgress } = {}) {
    signal?.throwIfAborted();
    const { id, answer } = this.#ask(method, params, onProgress);
    try { return await unless(answer, { signal }); } catch (failure) {
      if (this.#calls.delete(id)) this.#tell('cancel', { id });
      answer.catch(() => {});
      throw failure;
    }
  }

  /** Sends what needs no answer, where there is still somebody. */
  #tell(method, params) {
    if (!this.#over) this.#ask(method, params).answer.catch(() => {});
  }

  async tokens(call) { return (await this.call('tokens.list', {}, call)).tokens; }
  async certificates(wanted, call) { return (await this.call('certificates.list', wanted, call)).certificates; }
  authenticate(wanted, call) { return this.call('authenticate', wanted, call); }

  async subscribe(listener, call) {
    this.#tokens = listener;
    listener((await this.call('tokens.subscribe', {}, call)).tokens);
  }
  unsubscribe() {
    this.#tokens = undefined;
    this.#tell('tokens.unsubscribe', {});
  }

  sign({ documents, ...wanted }, call) {
    return this.#withUploads(documents, call, (sources) => this.call('sign', { ...wanted, documents: sources }, call));
  }

  verify({ document, content, at }, call) {
    const given = content ? [document, content] : [document];
    const bare = given.map(({ octets }) => ({ octets, label: {} }));
    return this.#withUploads(bare, call, ([first, second]) => this.call('verify', { document: first, content: second, at }, call));
  }

  // -- documents --

  /** Does `work` with the documents as the protocol takes them; what was uploaded for nothing is forgotten again. */
  async #withUploads(documents, { signal, onProgress } = {}, work) {
    const large = documents.filter(({ octets }) => octets.size > inline);
    const total = large.reduce((sum, { octets }) => sum + octets.size, 0);
    const names = [];
    let before = 0;
    let last = -1;
    try {
      const sources = [];
      for (const { octets, label: { digests, ...label } } of documents) {
        if (octets.size > inline) {
          const start = before;
          const sent = (count) => {
            if (start + count <= last) return;
            last = start + count;
            onProgress?.({ stage: 'uploading', done: last, total });
          };
          names.push(await this.#upload(octets, { ...label, digests }, signal, sent));
          before += octets.size;
          sources.push({ upload: names.at(-1) });
        } else if (octets.text !== undefined) sources.push({ text: octets.text, ...label });
        else sources.push({ content: toBase64(await octets.whole()), ...label });
      }
      return await work(sources);
    } catch (failure) {
      for (const upload of names) this.#tell('upload.drop', { upload });
      throw failure;
    }
  }

  /** The name of an upload that is there to its last octet. One goes after the other, as the protocol wants it. */
  async #upload(octets, label, signal, sent) {
    const before = this.#uploading;
    let end;
    const mine = new Promise((resolve) => { end = resolve; });
    this.#uploading = before.then(() => mine);
    try {
      await unless(before, { signal });
      const upload = await this.#begin({ size: octets.size, ...label }, signal);
      try {
        await this.#pour(octets, signal, sent);
        await this.call('upload.end', { upload }, { signal });
        sent(octets.size);
      } catch (failure) {
        this.#tell('upload.drop', { upload });
        throw failure;
      }
      return upload;
    } finally { end(); }
  }

  /** Begins an upload. One that was called off may have begun all the same: then it is dropped, before the next one. */
  async #begin(wanted, signal) {
    signal?.throwIfAborted();
    const { id, answer } = this.#ask('upload.begin', wanted);
    try { return (await unless(answer, { signal })).upload; } catch (failure) {
      if (signal?.aborted) {
        this.#tell('cancel', { id });
        await answer.then(({ upload }) => this.#tell('upload.drop', { upload }), () => {});
      }
      throw failure;
    }
  }

  /** Sends octets no faster than they leave: a socket has no event for that, so it is looked at again and again. */
  async #pour(octets, signal, sent) {
    const { socket } = this.#wire;
    for (let at = 0; at < octets.size || socket.bufferedAmount > 0;) {
      signal?.throwIfAborted();
      if (this.#over) throw this.#over;
      if (at === octets.size || socket.bufferedAmount > ahead) {
        await sleep(5);
      } else {
        const next = await octets.part(at, at + piece);
        if (next.length === 0) throw new RangeError('the document became shorter while it was read');
        socket.send(next);
        at += next.length;
      }
      sent(Math.max(0, at - socket.bufferedAmount));
    }
  }
}

// ---- NCALayer's protocol ----

const emailProtection = '1.3.6.1.5.5.7.3.4';
const roleUsages = {
  any: [],
  individual: ['1.2.398.3.3.4.1.1'],
  organisation: ['1.2.398.3.3.4.1.2'],
  head: ['1.2.398.3.3.4.1.2', '1.2.398.3.3.4.1.2.1'],
  signatory: ['1.2.398.3.3.4.1.2', '1.2.398.3.3.4.1.2.2'],
  financial_signatory: ['1.2.398.3.3.4.1.2', '1.2.398.3.3.4.1.2.3'],
  personnel_officer: ['1.2.398.3.3.4.1.2', '1.2.398.3.3.4.1.2.4'],
  employee: ['1.2.398.3.3.4.1.2', '1.2.398.3.3.4.1.2.5'],
};

/** What NCALayer can do of all this: storages, CMS and XML. No ids, so one request after the other; no cancelling. */
class NcalayerSession {
  protocol = 'ncalayer';
  secure = true;
  #wire;
  #turn = Promise.resolve();
  #waiting; // { resolve, reject } of the one request under way
  #over; // why nothing can be asked any more
  #end; // tells the client so

  constructor(wire, language) {
    this.#wire = wire;
    this.language = language;
    this.ended = new Promise((resolve) => { this.#end = resolve; });
    this.greeted = new Promise((resolve, reject) => { this.#waiting = { resolve, reject }; });
    wire.listen((text) => this.#hear(text), (end) => this.#fail(lossOf(end)));
  }

  /** The first message, which comes unasked. */
  async greet() {
    const version = (await this.greeted)?.result?.version;
    this.greeting = { name: 'ncalayer', version };
    return typeof version === 'string';
  }

  close(refusal = new Refusal('closed')) {
    this.#wire.close();
    this.#fail(refusal);
  }

  #fail(refusal) {
    this.#over ??= refusal;
    this.#waiting?.reject(refusal);
    this.#waiting = undefined;
    this.#end(refusal);
  }

  #hear(text) {
    if (text === '--heartbeat--') return;
    let answer;
    try { answer = JSON.parse(text); } catch { answer = undefined; }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }

  /** The answer to `request`. Its window cannot be called off but with the socket, so that is what an abort costs. */
  async #ask(request, { signal } = {}) {
    const before = this.#turn;
    let end;
    const mine = new Promise((resolve) => { end = resolve; });
    this.#turn = before.then(() => mine);
    try {
      await unless(before, { signal });
      if (this.#over) throw this.#over;
      const answer = new Promise((resolve, reject) => { this.#waiting = { resolve, reject }; });
      this.#wire.socket.send(JSON.stringify(request));
      try { return await unless(answer, { signal }); } catch (failure) {
        answer.catch(() => {});
        if (signal?.aborted) this.close(new Refusal('connection_lost', 'a request was called off, which ends the connection'));
        throw failure;
      }
    } finally { end(); }
  }

  async tokens(call) {
    const answer = await this.#ask({ module: 'kz.gov.pki.knca.commonUtils', method: 'getActiveTokens' }, call);
    if (!Array.isArray(answer?.responseObject)) throw refusalOf(answer);
    return answer.responseObject.map((storage) => ({ storage, family: 'other', name: storage }));
  }

  async sign(wanted, call) {
    const { format, attached = false, timestamp = false, signer = {}, documents } = wanted;
    const lacking = lackingFor(wanted);
    if (lacking) throw new Refusal('not_supported', lacking);
    const isXml = format === 'xml';
    const data = await Promise.all(documents.map(async ({ octets }) => (
      isXml ? octets.text ?? new TextDecoder().decode(await octets.whole()) : toBase64(await octets.whole()))));
    const answer = await this.#ask({
      module: 'kz.gov.pki.knca.basics',
      method: 'sign',
      args: {
        allowedStorages: signer.storages?.length ? signer.storages : null,
        format,
        data,
        signingParams: { decode: !isXml, encapsulate: attached, digested: false, tsaProfile: timestamp ? {} : null },
        signerParams: {
          extKeyUsageOids: [emailProtection, ...roleUsages[signer.role ?? 'any'], ...signer.usages ?? []],
          iin: signer.iin ?? '', bin: signer.bin ?? '', serialNumber: signer.serial_number ?? '', chain: null,
        },
        locale: this.language === 'kk' ? 'kk' : 'ru',
      },
    }, call);
    const signatures = answer?.body?.result;
    if (!Array.isArray(signatures) || signatures.length !== documents.length) throw refusalOf(answer);
    return { format, signatures: isXml ? signatures : signatures.map((pem) => pem.replace(/-----[A-Z ]+-----|\s/g, '')) };
  }

  certificates() { return lack('certificates'); }
  authenticate() { return lack('authenticate'); }
  verify() { return lack('verify'); }
  subscribe() { return lack('onTokens'); }
  unsubscribe() {}
}

async function lack(what) { throw new Refusal('not_supported', what); }

/** What of a request to sign NCALayer's protocol has no word for; leaving it out would change what is asked for. */
function lackingFor({ purpose, format, on_behalf_of: principal, element, signature_parent: parent, signer }) {
  if (purpose !== 'document') return `purpose ${purpose}`;
  if (format !== 'cms' && format !== 'xml') return `format ${format}`;
  if (principal !== undefined) return 'on_behalf_of';
  if (element !== undefined || parent !== undefined) return 'element, signature_parent';
  if (signer?.role && !Object.hasOwn(roleUsages, signer.role)) return `role ${signer.role}`;
  return undefined;
}

/** NCALayer's two forms of refusal. A cancelled one has no result and no error. */
function refusalOf(answer) {
  if (answer?.status === true || answer?.message === 'action.canceled') return new Refusal('user_cancelled');
  const said = [answer?.details, answer?.message, answer?.code, answer?.errorCode].find((each) => typeof each === 'string') ?? 'no answer that is understood';
  return new Refusal(/storage\.empty/.test(said) ? 'token_absent' : 'signing_failed', said);
}

// ---- who answers, or why nobody does ----

const ways = [
  { scheme: 'wss', protocol: 'tamga.v1' },
  { scheme: 'ws', protocol: 'tamga.v1' },
  { scheme: 'wss', protocol: '' },
];

/**
 * What the browser says of reaching programs on this computer: { state: granted, denied, prompt, or unknown where it knows of no
 * such permission; timeTells }. Firefox, which knows no `local-network-access`, says prompt although it does not ask, and waits
 * by itself before it tries a failed address again: there a refusal that took time tells nothing.
 */
async function permission() {
  const states = {};
  for (const name of ['loopback-network', 'local-network-access']) {
    try { states[name] = (await navigator.permissions.query({ name })).state; } catch { /* a name of another browser */ }
  }
  const [state = 'unknown'] = Object.values(states);
  return { state, timeTells: 'local-network-access' in states };
}

/** Notices that the page's own policy forbids a connection, which its socket does not tell. */
class PolicyWatch {
  #target = globalThis.document ?? globalThis;
  #port;
  seen = false;

  constructor(port) {
    this.#port = port;
    this.#target.addEventListener?.('securitypolicyviolation', this);
  }

  handleEvent({ disposition, blockedURI }) {
    const ours = [`ws://127.0.0.1:${this.#port}`, `wss://127.0.0.1:${this.#port}`];
    if (disposition !== 'report' && ours.some((url) => blockedURI.startsWith(url))) this.seen = true;
  }

  stop() { this.#target.removeEventListener?.('securitypolicyviolation', this); }
}

/** Tries one way: { session }, or { failure } with what can be known of why not. Throws what `signal` says, and what is settled. */
async function knock({ scheme, protocol }, settings, { signal, ms }) {
  let wire;
  const secure = scheme === 'wss';
  try { wire = new Wire(`${scheme}://127.0.0.1:${settings.port}/`, protocol); } catch (error) {
    return { failure: { secure, code: 0, ms: 0, detail: String(error) } };
  }
  try {
    const opened = await unless(wire.opened, { signal, ms });
    if (opened === undefined) return { failure: { secure, code: 0, ms, silent: true } };
    if (!opened) return { failure: { secure, ...wire.ended } };
    const isTamga = wire.socket.protocol === 'tamga.v1';
    if (!isTamga && !(secure && settings.ncalayer)) return { failure: { secure, code: 0, ms: 0, silent: true } };
    const session = isTamga ? new TamgaSession(wire, secure) : new NcalayerSession(wire, settings.language);
    if (await unless(session.greet(settings.language), { signal, ms: patience, late: false })) {
      wire = undefined;
      return { session };
    }
    return { failure: { secure, code: 0, ms: 0, silent: true } };
  } catch (failure) {
    if (!(failure instanceof Refusal) || failure.reason !== 'connection_lost') throw failure;
    return { failure: { secure, code: wire.ended.code, ms: 0, silent: true } };
  } finally { wire?.close(); }
}

/** A session by the first of `attempts` that answers. Throws a Refusal that says why none does, and what `signal` says. */
async function find(settings, attempts, signal) {
  const watch = new PolicyWatch(settings.port);
  const failures = [];
  try {
    const before = await permission();
    if (before.state === 'prompt') settings.mayAsk();
    const ms = before.state === 'prompt' ? patienceWithAPerson : patience;
    for (const way of attempts) {
      if (!way.protocol && !settings.ncalayer) continue;
      const { session, failure } = await knock(way, settings, { signal, ms });
      if (session && (session.secure || settings.allowPlain)) return session;
      if (session) {
        session.close();
        throw new Refusal('certificate_not_trusted', '', { greeting: session.greeting });
      }
      failures.push(failure);
      // A person who pushed the browser's question away is not asked again at once.
      if (isRefusedByBrowser(await permission(), failures)) break;
    }
    await sleep(0); // a violation of the page's policy is told after the socket's end
    throw new Refusal(diagnose(watch.seen, await permission(), failures),
      failures.map(({ secure, code, detail }) => `${secure ? 'wss' : 'ws'}: ${detail ?? code}`).join('; '));
  } finally { watch.stop(); }
}

/** Where refusing took a person's time and nothing was decided, the person closed the browser's question. */
function isRefusedByBrowser({ state, timeTells }, [first]) {
  return state === 'denied' || (state === 'prompt' && timeTells && first?.code === 1006 && first.ms >= glance);
}

function diagnose(policyForbids, asked, failures) {
  if (policyForbids) return 'blocked_by_page';
  const { location, origin } = globalThis;
  if (origin === 'null' || location?.protocol === 'http:') return 'page_not_accepted'; // by the browser neither, in Chromium
  if (isRefusedByBrowser(asked, failures)) return 'blocked_by_browser';
  if (failures.some(({ secure, code }) => secure && code === 1015)) return 'certificate_not_trusted'; // Firefox tells
  if (failures.some(({ silent }) => silent)) return 'no_answer';
  return 'not_installed';
}

// ---- the client ----

/** Reasons that time alone does not cure: nothing is tried again before somebody calls. */
const lasting = new Set(['blocked_by_browser', 'blocked_by_page', 'page_not_accepted', 'certificate_not_trusted', 'site_not_allowed']);

function languageOf(wanted) {
  if (wanted !== undefined && !languages.includes(wanted)) throw new TypeError(`language ${wanted} is none of ${languages}`);
  const [known] = (globalThis.navigator?.languages ?? []).map((tag) => tag.split('-')[0]).filter((tag) => languages.includes(tag));
  return wanted ?? known ?? 'en';
}

/** What tamga.d.mts calls Client. */
class Client {
  #settings;
  #session;
  #finding; // { promise, stop } of the attempt under way
  #timer;
  #tries = 0;
  #listeners = new Set();
  #found = false;
  #closed = false;

  constructor({ language, allowPlain = false, onState, port = 13579, ncalayer = true }) {
    this.#settings = {
      language: languageOf(language), allowPlain, onState, port, ncalayer,
      mayAsk: () => this.#tell('browser_may_ask'),
    };
  }

  get protocol() { return this.#session?.protocol; }
  get secure() { return this.#session?.secure; }
  get greeting() { return this.#session?.greeting; }

  /** Used by connect() alone. */
  async open(signal) {
    try { await this.#ready(signal); } catch (failure) {
      this.close();
      throw failure;
    }
  }

  async tokens(options) { return this.#with(options, (session, call) => session.tokens(call)); }

  async certificates({ signer } = {}, options = {}) {
    return this.#with(options, (session, call) => session.certificates({ signer }, call));
  }

  async sign(wanted, options) {
    if (!Array.isArray(wanted?.documents)) throw new TypeError('documents is no list');
    const documents = wanted.documents.map((each, i) => documentOf(each, `documents[${i}]`));
    return this.#with(options, (session, call) => session.sign({ ...wanted, documents }, call));
  }

  async authenticate({ challenge, signer }, options) {
    const text = typeof challenge === 'string' ? challenge : toBase64(await new Octets(challenge, 'challenge').whole());
    return this.#with(options, (session, call) => session.authenticate({ challenge: text, signer }, call));
  }

  async verify({ document, content, at }, options) {
    const wanted = { document: documentOf(document, 'document'), content: content && documentOf(content, 'content'), at };
    return this.#with(options, (session, call) => session.verify(wanted, call));
  }

  /** Resolves, once `listener` was told what is plugged in now, with a function that ends it. */
  async onTokens(listener, options) {
    this.#listeners.add(listener);
    try { await this.#with(options, (session, call) => this.#subscribe(session, call)); } catch (failure) {
      this.#listeners.delete(listener);
      throw failure;
    }
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#session?.unsubscribe();
    };
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#finding?.stop.abort(this.#error(new Refusal('closed')));
    this.#session?.close();
    this.#session = undefined;
    this.#tell('closed');
  }

  #subscribe(session, call) {
    return session.subscribe((tokens) => { for (const each of [...this.#listeners]) each(tokens); }, call);
  }

  async #with({ signal, onProgress } = {}, work) {
    signal?.throwIfAborted();
    const session = await this.#ready(signal);
    try { return await work(session, { signal, onProgress }); } catch (failure) { throw this.#error(failure); }
  }

  /** The session, which is looked for now where there is none: by every way, whatever the timer had in mind. */
  async #ready(signal) {
    if (this.#closed) throw this.#error(new Refusal('closed'));
    if (this.#session) return this.#session;
    this.#finding ??= this.#find(ways);
    return unless(this.#finding.promise, { signal });
  }

  #find(attempts) {
    clearTimeout(this.#timer);
    const stop = new AbortController();
    const promise = this.#open(attempts, stop.signal).finally(() => { this.#finding = undefined; });
    promise.catch(() => {}); // whoever waits for it hears it, and onState does
    return { promise, stop };
  }

  async #open(attempts, signal) {
    this.#tell('connecting');
    try {
      const session = await find(this.#settings, attempts, signal);
      if (signal.aborted) session.close();
      signal.throwIfAborted();
      this.#session = session;
      this.#found = true;
      const since = Date.now();
      session.ended.then((refusal) => this.#lost(session, refusal, Date.now() - since));
      this.#tell('open');
      if (this.#listeners.size > 0) this.#subscribe(session).catch(() => {}); // it is lost again, or may no longer
      return session;
    } catch (failure) {
      const error = this.#error(failure);
      if (this.#found && !signal.aborted) this.#wait(error, attempts);
      throw error;
    }
  }

  #lost(session, refusal, lasted) {
    if (this.#session !== session) return;
    this.#session = undefined;
    if (lasted >= steady) this.#tries = 0;
    // The same way again: a page that was here a moment ago needs no search.
    this.#wait(this.#error(refusal), ways.filter(({ scheme, protocol }) => (
      (scheme === 'wss') === session.secure && protocol === (session.protocol === 'tamga.v1' ? 'tamga.v1' : ''))));
  }

  /** Tries again later, and later each time. */
  #wait(error, attempts) {
    if (lasting.has(error.reason)) { this.#tell('waiting', { error }); return; }
    const delay = Math.min(retry.most, retry.first * 2 ** this.#tries) * (0.8 + 0.4 * Math.random());
    this.#tries += 1;
    this.#timer = setTimeout(() => { this.#finding = this.#find(attempts); }, delay);
    this.#tell('waiting', { error, retryIn: Math.round(delay) });
  }

  #tell(state, more = {}) {
    const { onState } = this.#settings;
    const told = { state, protocol: this.protocol, secure: this.secure, ...more };
    if (onState) queueMicrotask(() => onState(told)); // what it throws is not our affair
  }

  #error(failure) {
    if (!(failure instanceof Refusal)) return failure;
    const { reason, detail, code, message, greeting, language = this.#settings.language } = failure;
    return Object.assign(new TamgaError(reason, { language, message, detail, code }), greeting && { greeting });
  }
}

/**
 * Connects the page with whoever answers on this computer: Tamga over wss, then over ws (used only with `allowPlain`), then
 * NCALayer. Rejects with a TamgaError that says why nobody does, or with the reason of `signal`.
 */
export async function connect({ signal, ...options } = {}) {
  const client = new Client(options);
  await client.open(signal);
  return client;
}
