// The portal's database: SQLite in a file of its own.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { Database } = require('node-sqlite3-wasm');

class Store {
  constructor(file) {
    this.database = new Database(file);
    this.database.exec('PRAGMA synchronous = OFF'); // a test's data: a crash of the computer may cost it
    this.database.exec(fs.readFileSync(path.join(__dirname, 'schema.sql'), 'utf8'));
  }
  /** The first row, or undefined. */
  one(sql, ...values) { return this.database.get(sql, values) ?? undefined; }
  all(sql, ...values) { return this.database.all(sql, values); }
  /** How many rows it changed, and the number of the last one that came. */
  run(sql, ...values) { return this.database.run(sql, values); }
  insert(table, row) {
    const names = Object.keys(row);
    return this.run(`INSERT INTO ${table} (${names}) VALUES (${names.map(() => '?')})`, ...names.map((name) => row[name] ?? null));
  }
  /** All of it or nothing. `work` does not wait for anything. */
  together(work) {
    this.database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.database.exec('COMMIT');
      return result;
    } catch (failure) {
      this.database.exec('ROLLBACK');
      throw failure;
    }
  }
  close() { this.database.close(); }
}

module.exports = { Store };
