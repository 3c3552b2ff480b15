#!/usr/bin/env node
console.log('meanflow: nothing to run yet');
