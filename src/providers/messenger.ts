/**
 * A node of an overlay network through which messages go to other nodes, and theirs come to us (D-12).
 *
 * Who a message is from is proven by the network: only the holder of a node's key can send as that node. An implementation knows
 * neither the store nor another provider. Every method has a total deadline and throws {@link MessengerFailure} when the outside breaks.
 */
export interface Messenger {
  /** Where people read what came to the play nodes of a simulator; null: their nodes are real, and so are their ways to read. */
  readonly inboxUrl: string | null;
  /** The key of the node that has an address; null: the network knows of none, or not yet. */
  keyOf(address: string): Promise<string | null>;
  /** Hands a message to our node, which tries to deliver it for five minutes. Returns before it has arrived. */
  send(message: { readonly to: string; readonly topic: string; readonly text: string }): Promise<void>;
  /**
   * Takes the first message of a topic out of our node's inbox: of this very topic, where '' is none at all. Null: there is none now.
   * What was taken is gone from there; a reply to a message of ours has no topic.
   */
  take(topic: string): Promise<ReceivedMessage | null>;
}

export interface ReceivedMessage {
  /** The key of the node that sent it, in small hexadecimal digits: the same form as {@link Messenger.keyOf} has. */
  readonly sourceKey: string;
  /** Null: it is no UTF-8 text. */
  readonly text: string | null;
}

/** Our node is away, or answered what we cannot read. `outcome` says whether a message may have been sent or taken. */
export class MessengerFailure extends Error {
  override readonly name = 'MessengerFailure';
  readonly kind: 'timeout' | 'broken';
  readonly outcome: 'none' | 'unknown';
  constructor(
    kind: MessengerFailure['kind'],
    outcome: MessengerFailure['outcome'],
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.kind = kind;
    this.outcome = outcome;
  }
}
