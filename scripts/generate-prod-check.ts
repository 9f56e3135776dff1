/** Writes docs/reference/prod-check.md from the checks themselves. */
import { prodCheckPage } from '../src/prod-check/reference.ts';
import { writeOrCheck } from './generated-files.ts';

writeOrCheck(new Map([['docs/reference/prod-check.md', prodCheckPage()]]));
