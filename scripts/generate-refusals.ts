/** Writes docs/reference/refusals.md: every way the service says no, from the closed list in the code. */
import { REFUSALS } from '../src/domain/refusal.ts';
import { writeOrCheck } from './generated-files.ts';

const rows = Object.entries(REFUSALS).map(
  ([code, { status, rpc, title }]) => `| \`${code}\` | ${status} | ${rpc} | ${title} |`,
);
const page = `# Refusals

Every error answer is \`application/problem+json\` (RFC 9457) with a stable \`code\`; JSON-RPC carries the same code in
\`error.data.code\`. The list is closed: a program may switch on it. A code never changes its meaning.

This page is generated from \`src/domain/refusal.ts\` by \`npm run generate\`.

| code | HTTP status | JSON-RPC error | meaning |
|---|---|---|---|
${rows.join('\n')}
`;
writeOrCheck(new Map([['docs/reference/refusals.md', page]]));
