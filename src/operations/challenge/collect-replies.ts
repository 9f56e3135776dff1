import { timingSafeEqual } from 'node:crypto';
import { codeHash, readReply } from '../../domain/challenge/code.ts';
import { judgeReply } from '../../domain/challenge/judge.ts';
import type { Messenger, ReceivedMessage } from '../../providers/messenger.ts';
import { changeChallenge, lockChallengesOfNode } from '../../store/challenge.ts';
import type { House } from '../house.ts';
import { TOPIC } from './begin.ts';

/** A reply has no topic; who writes a message of their own may give it ours. */
const TOPICS = ['', TOPIC] as const;
/** In one go. What is still there is found by the next one, which comes within seconds. */
const MESSAGES_MAX = 20;

const collecting = new WeakMap<House, Promise<void>>();

/**
 * Takes what came to our node and writes down which challenges it answers. One at a time in a process, whoever asks meanwhile waits for
 * the same. What answers none is gone: the node is there for this alone.
 *
 * Throws MessengerFailure. A reply that was taken by a process that died then is lost: the person replies again, or types the code.
 */
export async function collectReplies(house: House, messenger: Messenger): Promise<void> {
  const running = collecting.get(house);
  if (running) return await running;
  const run = collect(house, messenger).finally(() => collecting.delete(house));
  collecting.set(house, run);
  await run;
}

async function collect(house: House, messenger: Messenger): Promise<void> {
  for (const topic of TOPICS) {
    for (let taken = 0; taken < MESSAGES_MAX; taken += 1) {
      const message = await messenger.take(topic);
      if (message === null) break;
      const isAnswer = await takeDown(house, message);
      if (!isAnswer)
        house.ports.log.info({ source_key: message.sourceKey }, 'a message to our node answers no challenge');
    }
  }
}

/** By the key it came from and the code in it, never by what else it says of itself. */
async function takeDown(house: House, { sourceKey, text }: ReceivedMessage): Promise<boolean> {
  const reply = text === null ? null : readReply(text);
  if (reply === null) return false;
  return house.db.transaction('challenge.reply', async (tx) => {
    const now = house.ports.clock.now();
    let isAnswer = false;
    for (const challenge of await lockChallengesOfNode(tx, sourceKey, now)) {
      const isRightCode = timingSafeEqual(challenge.codeHash, codeHash(challenge.sid, reply.code));
      const standing = judgeReply(challenge, { isRightCode, number: reply.number, now });
      if (standing === null) continue;
      isAnswer = true;
      await changeChallenge(tx, { sid: challenge.sid, ...standing });
    }
    return isAnswer;
  });
}
