import { describeCases } from '../../../test/conformance/op-suite.js';
import { expectBestToken } from '../../../test/conformance/route-check.js';
import { routeCases } from './cases.js';
import { routeContract } from './contract.js';

describeCases([{ contract: routeContract, cases: routeCases }], { check: expectBestToken });
