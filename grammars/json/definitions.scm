; Named nodes: @definition with its @name and @body: a path of keys.
(pair key: (string (string_content) @name) value: (_) @body) @definition
