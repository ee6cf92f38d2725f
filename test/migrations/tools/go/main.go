// The tools themselves, each by its own package: `tools TOOL FOLDER` runs all that the tool finds pending in the database of DATABASE_URL,
// and prints how many migrations that were.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"
	"github.com/golang-migrate/migrate/v4"
	_ "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	_ "github.com/golang-migrate/migrate/v4/source/file"
	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	tern "github.com/jackc/tern/v2/migrate"
	"github.com/pressly/goose/v3"
	sqlmigrate "github.com/rubenv/sql-migrate"
)

var url = os.Getenv("DATABASE_URL")

func main() {
	tools := map[string]func(string) (int, error){
		"golang-migrate": golangMigrate, "goose": runGoose, "sql-migrate": sqlMigrate, "tern": runTern, "atlas": hashAtlas,
	}
	ran, err := tools[os.Args[1]](os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(ran)
}

func golangMigrate(folder string) (int, error) {
	m, err := migrate.New("file://"+folder, strings.Replace(url, "postgresql", "pgx5", 1))
	if err != nil {
		return 0, err
	}
	before, _, err := m.Version()
	if err != nil && !errors.Is(err, migrate.ErrNilVersion) {
		return 0, err
	}
	if err := m.Up(); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return 0, err
	}
	after, _, err := m.Version()
	return int(after - before), err
}

func runGoose(folder string) (int, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return 0, err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS(folder))
	if err != nil {
		return 0, err
	}
	ran, err := provider.Up(context.Background())
	return len(ran), err
}

func sqlMigrate(folder string) (int, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return 0, err
	}
	return sqlmigrate.Exec(db, "postgres", &sqlmigrate.FileMigrationSource{Dir: folder}, sqlmigrate.Up)
}

func runTern(folder string) (int, error) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	migrator, err := tern.NewMigrator(ctx, conn, "public.schema_version")
	if err != nil {
		return 0, err
	}
	if err := migrator.LoadMigrations(os.DirFS(folder)); err != nil {
		return 0, err
	}
	before, err := migrator.GetCurrentVersion(ctx)
	if err != nil {
		return 0, err
	}
	return len(migrator.Migrations) - int(before), migrator.Migrate(ctx)
}

// hashAtlas writes atlas.sum; what runs files is not among Atlas's packages.
func hashAtlas(folder string) (int, error) {
	local, err := atlas.NewLocalDir(folder)
	if err != nil {
		return 0, err
	}
	sum, err := local.Checksum()
	if err != nil {
		return 0, err
	}
	return 0, atlas.WriteSumFile(local, sum)
}
