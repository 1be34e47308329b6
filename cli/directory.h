/* Directories of the program's own, beside what they will become. */
#ifndef CLI_DIRECTORY_H
#define CLI_DIRECTORY_H

/*
 * Makes a fresh directory beside `path`, which may end in slashes: its name,
 * then `suffix`, which ends in "XXXXXX". The caller frees the path that comes
 * back; NULL, and errno, when it cannot be made.
 */
char *cli_directory_make(const char *path, const char *suffix);

/* Removes a directory of files; what is no file stops it. Says why when it
 * cannot, and returns an exit code. */
int cli_directory_remove(const char *path);

#endif
