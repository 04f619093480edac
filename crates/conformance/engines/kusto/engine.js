// Microsoft's own parser of Kusto behind the harness: it checks and executes nothing. It speaks as `engines/serve.py`
// says, and knows one command more, {"tables": {product: {table: {column: type}}}}.
//
// A query to check has a line before it with the name of a product, or an empty one for the table `logs` that `prepare`
// describes. Tables are given to the parser by `let`, so names and types are looked up as in a database that has them.
// A diagnostic of whatever severity refuses the query.
"use strict";

const packages = process.argv[2] + "/node_modules/@kusto/language-service-next/";
require(packages + "bridge.min.js");
require(packages + "Kusto.Language.Bridge.min.js");
const { KustoCode, GlobalState } = Kusto.Language;

const TYPES = { keyword: "string", "address-text": "string", address: "string", integer: "long", boolean: "bool", time: "datetime" };

let products = {};
let logs = {};

const quoted = (name) => `['${name.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}']`;
/** A table with the columns that the query may speak of: the others only take time. */
const table = (columns, query) => {
  const all = Object.entries(columns).filter(([name]) => query.includes(name)).map(([name, type]) => `${quoted(name)}:${type}`);
  return `datatable(${all.join(", ")})[]`;
};

/** What a query reads: the table itself, or a function that gives it. */
const source = (query) => /^[A-Za-z_]\w*(\(\))?/.exec(query)?.[0] ?? "";

function check(request) {
  const end = request.indexOf("\n");
  const product = request.slice(0, end);
  const query = request.slice(end + 1);
  const name = source(query);
  let before = `let logs = ${table(logs, query)};\n`;
  if (product) {
    const bare = name.replace("()", "");
    const columns = products[product]?.[bare];
    if (!columns) return `the schema ${product} has no table \`${name}\``;
    const given = table(columns, query);
    before = `let ${bare} = ${name.endsWith("()") ? `() { ${given} }` : given};\n`;
  }
  const text = before + query;
  const found = KustoCode.ParseAndAnalyze(text, GlobalState.Default).GetDiagnostics();
  for (let at = 0; at < found.Count; at++) {
    const one = found.getItem(at);
    return `${one.Severity} ${one.Code}: ${one.Message} \`${text.slice(one.Start, one.Start + one.Length)}\``;
  }
  return [];
}

const commands = {
  about: () => `Microsoft's parser of Kusto (@kusto/language-service-next ${require(packages + "package.json").version})`,
  tables: (given) => ((products = given), true),
  prepare: (fields) => {
    const columns = {};
    for (const [name, type] of Object.entries(fields)) {
      const parts = name.split(".");
      // What is below a dot is a property of a column that holds objects.
      if (name) columns[parts[0]] = parts.length > 1 || columns[parts[0]] === "dynamic" ? "dynamic" : TYPES[type];
    }
    logs = columns;
    return true;
  },
  load: (events) => events.length,
  run: (requests) => requests.map(check),
};

const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const [[command, argument]] = Object.entries(JSON.parse(line));
  let answer;
  try {
    answer = commands[command](argument);
  } catch (fault) {
    answer = { fault: String(fault) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
});
