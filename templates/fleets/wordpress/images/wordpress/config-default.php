<?php
// Debian's wp-config.php reads this for every site; see /usr/share/doc/wordpress/README.Debian.gz.
define('DB_NAME', 'wordpress');
define('DB_USER', 'www-data');
define('DB_PASSWORD', ''); // none: the server asks the kernel who connects
define('DB_HOST', 'localhost:/run/mysqld/mysqld.sock');
define('DB_CHARSET', 'utf8mb4');

// From the app's definition, not from the request, which anyone can write what they like into.
define('WP_HOME', getenv('SITE_URL'));
define('WP_SITEURL', getenv('SITE_URL'));

define('DISABLE_WP_CRON', true);   // the host's cron runs the job wp-cron
define('DISALLOW_FILE_MODS', true); // WordPress and what belongs to it change through git

require_once '/var/lib/wordpress/keys/keys.php';
