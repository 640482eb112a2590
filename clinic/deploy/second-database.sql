-- SPDX-License-Identifier: Apache-2.0
-- The archive's index has a database of its own beside the pages' store.
CREATE DATABASE archive OWNER clinic;
