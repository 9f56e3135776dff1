import { paymentProviderContract } from '../contract/payment-provider.ts';
import { openInProcessBench, openStripeBench } from './stripe-bench.ts';

paymentProviderContract('Stripe', () => openStripeBench());
paymentProviderContract('Stripe without a socket', openInProcessBench);
