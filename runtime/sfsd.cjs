#!/usr/bin/env node
'use strict';

require('../bin/launch.cjs')('sfsd');
