// Holds the public interface against api/mambair.api.md and docs/api.md, and asks for a docblock on every public symbol.
// Needs a build. `node tools/check-api.mjs`; with --update both files are written anew instead of compared.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { apiPage } from './api-page.mjs';

const isUpdate = process.argv.includes('--update');
const config = ExtractorConfig.loadFileAndPrepare('api-extractor.json');
const problems = [];

mkdirSync(config.reportFolder, { recursive: true });
Extractor.invoke(config, {
  messageCallback: (message) => {
    message.handled = true;
    if (message.category !== 'console' && (message.logLevel === 'warning' || message.logLevel === 'error')) {
      problems.push(`${message.sourceFilePath}:${message.sourceFileLine}: ${message.text}`);
    }
  },
});

const model = JSON.parse(readFileSync(config.apiJsonFilePath, 'utf8'));
const symbols = model.members[0].members;
// A property may speak for itself by name and type; what is exported or can be called may not.
const methods = symbols.flatMap(({ name, members = [] }) =>
  members
    .filter(({ kind }) => kind.startsWith('Method'))
    .map((method) => ({ ...method, name: `${name}.${method.name}` })),
);
for (const { name, docComment } of [...symbols, ...methods]) {
  if (docComment === '') problems.push(`${name} is public and has no docblock`);
}
const files = {
  'api/mambair.api.md': readFileSync(config.reportTempFilePath, 'utf8'),
  'docs/api.md': apiPage(model, ['core/index.ts', 'index.ts'].map((path) => readFileSync(path, 'utf8')).join('\n')),
};
for (const [path, text] of Object.entries(files)) {
  if (isUpdate) {
    writeFileSync(path, text);
  } else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    problems.push(`${path} is not what the sources say; look at the difference after: npm run api:update`);
  }
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`the public interface has ${symbols.length} symbols, all documented and as reported`);
