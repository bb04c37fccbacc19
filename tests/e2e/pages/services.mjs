// The reference page: asks for each of four services of the sample catalogue and shows what becomes of it. Nothing here
// decides: whether a signature is needed, and whether this site may ask for it, the daemon says.
import { connect, TamgaError } from './tamga.mjs';

const texts = {
  title: { kk: 'Төрт қызмет, төрт нәтиже', ru: 'Четыре услуги, четыре исхода', en: 'Four services, four outcomes' },
  sample: {
    kk: 'Үлгі қызметтер каталогы; заңды күші жоқ.',
    ru: 'Услуги из каталога-образца; юридической силы не имеют.',
    en: 'Services of a sample catalogue, without legal force.',
  },
  ask: { kk: 'Төртеуін де сұрау', ru: 'Запросить все четыре', en: 'Ask for all four' },
  connecting: { kk: 'Tamga-ға қосылуда...', ru: 'Соединение с Tamga...', en: 'Connecting with Tamga...' },
  asked: { kk: 'Терезедегі шешімді күтуде...', ru: 'Ждём решения в окне...', en: 'Waiting for the decision in the window...' },
  signed: { kk: 'Қол қойылды', ru: 'Подписано', en: 'Signed' },
  instead: { kk: 'Бір реттік құпиясөздің орнына қол қойылды', ru: 'Подписано вместо одноразового пароля', en: 'Signed in the place of a one-time password' },
};

const services = [
  {
    id: 'sample-body/address-change',
    name: { kk: 'Тұрғылықты жері бойынша тіркеу', ru: 'Регистрация по месту жительства', en: 'Registration of a new address' },
    needs: { kk: 'Қажет: ЭЦҚ', ru: 'Нужна ЭЦП', en: 'Needs an electronic signature' },
    done: texts.signed,
  },
  {
    id: 'sample-body/no-criminal-record',
    name: { kk: 'Соттылығының жоқтығы туралы анықтама', ru: 'Справка об отсутствии судимости', en: 'Certificate of no criminal record' },
    needs: { kk: 'Қажет: бір реттік құпиясөз; ЭЦҚ оны алмастырады', ru: 'Нужен одноразовый пароль; ЭЦП его заменяет', en: 'Needs a one-time password; a signature takes its place' },
    done: texts.instead,
  },
  {
    id: 'sample-body/address-certificate',
    name: { kk: 'Мекенжай анықтамасы', ru: 'Адресная справка', en: 'Address certificate' },
    needs: { kk: 'Логин мен құпиясөз жеткілікті', ru: 'Достаточно логина и пароля', en: 'Login and password are enough' },
    done: texts.signed,
  },
  {
    id: 'sample-body/pharmacy-licence',
    name: { kk: 'Фармацевтикалық қызметке лицензия', ru: 'Лицензия на фармацевтическую деятельность', en: 'Licence for a pharmacy' },
    needs: { kk: 'Басқа сайттың қызметі', ru: 'Услуга другого сайта', en: 'A service of another site' },
    done: texts.signed,
  },
];

const select = document.querySelector('#language');
const state = document.querySelector('#state');
const list = document.querySelector('#services');
const language = () => select.value;
/** What was signed, by the service; and for tests. */
window.signatures = {};

function paint() {
  document.documentElement.lang = language();
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = texts[element.dataset.text][language()];
  list.replaceChildren(...services.map(({ id, name, needs }) => {
    const row = document.createElement('li');
    row.dataset.service = id;
    for (const [tag, words, kind] of [['h2', name[language()]], ['p', needs[language()], 'needs'], ['p', '', 'outcome']]) {
      row.append(Object.assign(document.createElement(tag), { textContent: words, className: kind ?? '' }));
    }
    return row;
  }));
}

function show(id, outcome, words) {
  const row = [...list.children].find(({ dataset }) => dataset.service === id);
  row.dataset.outcome = outcome;
  row.querySelector('.outcome').textContent = words;
}

/** The application that is signed: what the person reads in the window. */
const application = ({ name }) => `${name[language()]}\n${new Date().toISOString().slice(0, 10)}\n`;

async function ask(client, service) {
  show(service.id, 'asked', texts.asked[language()]);
  try {
    const { signatures } = await client.sign({
      purpose: 'service_request', service: service.id, format: 'cms', attached: true,
      documents: [{ content: application(service), title: service.name[language()], media_type: 'text/plain' }],
    });
    [window.signatures[service.id]] = signatures;
    show(service.id, 'signed', service.done[language()]);
  } catch (error) {
    if (!(error instanceof TamgaError)) throw error;
    show(service.id, error.reason, `${error.words(language())} (${error.reason})`);
  }
}

document.querySelector('#all').onclick = async ({ target }) => {
  paint();
  target.disabled = true;
  state.textContent = texts.connecting[language()];
  try {
    const port = Number(new URLSearchParams(location.search).get('port') ?? 13579); // tests have one of their own
    const client = await connect({ language: language(), port });
    state.textContent = `${client.protocol} ${client.greeting.version}, ${client.secure ? 'wss' : 'ws'}`;
    for (const service of services) await ask(client, service);
    client.close();
  } catch (error) {
    if (!(error instanceof TamgaError)) throw error;
    state.textContent = `${error.words(language())} (${error.reason})`;
  } finally { target.disabled = false; }
};
select.onchange = paint;
paint();
