import { operationByName } from '../../src/operations/registry.ts';
import type { Operation } from '../../src/operations/operation.ts';

export function findOperation(name: string): Operation {
  const found = operationByName(name);
  if (!found) throw new Error(`there is no operation ${name}`);
  return found;
}
