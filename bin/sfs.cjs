#!/usr/bin/env node
'use strict';

// These two start from a smaller file.
require('./launch.cjs')('sfs', process.argv[2] === 'list' || process.argv[2] === 'show' ? 'sfs-look' : 'sfs');
