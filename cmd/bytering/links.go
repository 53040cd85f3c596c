package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// addSubcommands adds the subcommands that isSubcommand recognizes.
func addSubcommands(cmd *cobra.Command) {
	cmd.AddCommand(linksCommand())
	cmd.SetHelpCommand(&cobra.Command{Hidden: true}) // instead of one of package cobra
	for _, f := range ownFlags {
		switch f.arg {
		case "", "FILE":
		case "HASH":
			cmd.RegisterFlagCompletionFunc(f.long, cobra.FixedCompletions(hashNames(), cobra.ShellCompDirectiveNoFileComp))
		default:
			cmd.RegisterFlagCompletionFunc(f.long, cobra.NoFileCompletions)
		}
	}
}

// linksCommand returns the subcommand that makes links named after the other
// programs.
func linksCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "links DIR",
		Short: "make links in DIR to be called as mbuffer and pv by",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("links needs one directory")
			}
			return link(args[0])
		},
	}
}

// link makes the links in dir. A link that is already there stays. Any other file
// of that name is an error.
func link(dir string) error {
	own, err := os.Executable()
	if err != nil {
		return fail(exitRefused, "%w", err)
	}
	for _, p := range []program{asMbuffer, asPv} {
		name := filepath.Join(dir, p.String())
		if there, err := os.Readlink(name); err == nil && there == own {
			continue
		}
		if err := os.Symlink(own, name); err != nil {
			return fail(exitRefused, "%w", named(err))
		}
	}
	return nil
}

// isSubcommand reports whether the first argument is a subcommand: links, or one
// that the completion scripts call.
func isSubcommand(args []string) bool {
	if len(args) == 0 {
		return false
	}
	switch args[0] {
	case "links", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
		return true
	}
	return false
}
