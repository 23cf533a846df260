-- Read at each start, so each line says what must be, not what to do.
CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4;
-- www-data has the same number (33) in every Debian system, thus in every image.
CREATE USER IF NOT EXISTS 'www-data'@'localhost' IDENTIFIED VIA unix_socket;
GRANT ALL PRIVILEGES ON wordpress.* TO 'www-data'@'localhost';
