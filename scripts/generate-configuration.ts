/** Writes config.example.env and docs/reference/configuration.md from the one table of settings. */
import { configurationPage, exampleFile } from '../src/config/reference.ts';
import { writeOrCheck } from './generated-files.ts';

writeOrCheck(
  new Map([
    ['config.example.env', exampleFile()],
    ['docs/reference/configuration.md', configurationPage()],
  ]),
);
