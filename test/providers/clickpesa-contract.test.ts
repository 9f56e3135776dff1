import { paymentProviderContract } from '../contract/payment-provider.ts';
import { openClickPesaBench, openInProcessBench } from './clickpesa-bench.ts';

paymentProviderContract('ClickPesa', openClickPesaBench);
paymentProviderContract('ClickPesa without a socket', openInProcessBench);
