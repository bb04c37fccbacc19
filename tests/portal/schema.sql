-- What the portal keeps. Times are seconds since 1970; sessions, codes and tokens lie here as SHA-256 alone.
CREATE TABLE IF NOT EXISTS people (
  iin TEXT PRIMARY KEY, name TEXT NOT NULL, surname TEXT NOT NULL, login TEXT UNIQUE NOT NULL, password TEXT NOT NULL,
  phone TEXT, abroad INTEGER NOT NULL DEFAULT 0, roaming INTEGER NOT NULL DEFAULT 0, device TEXT, language TEXT,
  letters INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS organisations (bin TEXT PRIMARY KEY, name TEXT NOT NULL);
-- Who is what in which organisation. A position alone lets nobody decide but the head.
CREATE TABLE IF NOT EXISTS positions (
  iin TEXT NOT NULL REFERENCES people, bin TEXT NOT NULL REFERENCES organisations,
  role TEXT NOT NULL CHECK (role IN ('head', 'signatory', 'personnel_officer', 'employee')), PRIMARY KEY (iin, bin));
CREATE TABLE IF NOT EXISTS delegations (
  bin TEXT NOT NULL REFERENCES organisations, iin TEXT NOT NULL REFERENCES people, granted_by TEXT NOT NULL, granted_at INTEGER NOT NULL,
  ended_at INTEGER);
CREATE TABLE IF NOT EXISTS sessions (
  id TEXT PRIMARY KEY, csrf TEXT NOT NULL, iin TEXT REFERENCES people, level TEXT CHECK (level IN ('password', 'eds', 'qr')),
  pending TEXT REFERENCES people, challenge TEXT, challenge_until INTEGER, expires INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS codes (
  id INTEGER PRIMARY KEY, session TEXT NOT NULL, iin TEXT NOT NULL, purpose TEXT NOT NULL, code TEXT NOT NULL, expires INTEGER NOT NULL,
  ended INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS failures (what TEXT PRIMARY KEY, count INTEGER NOT NULL, since INTEGER NOT NULL, locked_until INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY, phone TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL, sent_at INTEGER NOT NULL, delivered INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS qr (
  token TEXT PRIMARY KEY, session TEXT NOT NULL, expires INTEGER NOT NULL, iin TEXT,
  state TEXT NOT NULL DEFAULT 'shown' CHECK (state IN ('shown', 'confirmed', 'refused', 'used')));
-- What the portal forms and a person signs. Accepted once.
CREATE TABLE IF NOT EXISTS documents (
  id TEXT PRIMARY KEY, iin TEXT NOT NULL REFERENCES people, session TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL, text TEXT NOT NULL,
  format TEXT NOT NULL CHECK (format IN ('cms', 'xml')), bin TEXT, expires INTEGER NOT NULL, signature BLOB, signer TEXT, accepted_at INTEGER);
CREATE TABLE IF NOT EXISTS requests (
  number INTEGER PRIMARY KEY, iin TEXT NOT NULL REFERENCES people, service TEXT NOT NULL, text TEXT NOT NULL, method TEXT NOT NULL,
  document TEXT REFERENCES documents, state TEXT NOT NULL CHECK (state IN ('formed', 'accepted')), at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS certificates (
  serial TEXT PRIMARY KEY, authority TEXT NOT NULL, der BLOB NOT NULL, key TEXT NOT NULL, iin TEXT NOT NULL, bin TEXT, role TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('authentication', 'signature', 'both')), not_after INTEGER NOT NULL, application INTEGER REFERENCES applications,
  revoked_at INTEGER, reason TEXT);
CREATE TABLE IF NOT EXISTS applications (
  number INTEGER PRIMARY KEY, iin TEXT NOT NULL REFERENCES people, bin TEXT REFERENCES organisations, role TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('submitted', 'approved', 'declined', 'issued', 'installed')), reason TEXT, decided_by TEXT, email TEXT, locality TEXT,
  store TEXT NOT NULL, signed BLOB NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS application_keys (
  application INTEGER NOT NULL REFERENCES applications, purpose TEXT NOT NULL, request BLOB NOT NULL, key TEXT NOT NULL, public_key TEXT NOT NULL,
  authority TEXT NOT NULL, PRIMARY KEY (application, purpose));
