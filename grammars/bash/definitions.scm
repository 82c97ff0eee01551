; Named nodes: @definition with its @name and @body.
(function_definition name: (_) @name body: (_) @body) @definition
