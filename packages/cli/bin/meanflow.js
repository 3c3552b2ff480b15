#!/usr/bin/env node
// npm links a command at install time only if its file exists by then, and dist/ is built later.
import '../dist/main.js';
