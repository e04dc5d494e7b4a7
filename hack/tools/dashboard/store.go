// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/tsdb"
)

// load puts every sample of the scrapes into a store in a folder, and returns the times of the first and the last.
func load(scrapes, folder string) (store *tsdb.DB, from, to time.Time, err error) {
	files, err := os.ReadDir(scrapes)
	if err != nil {
		return nil, from, to, err
	}
	if len(files) < 2 {
		return nil, from, to, fmt.Errorf("%s has %d scrapes", scrapes, len(files))
	}
	if store, err = tsdb.Open(folder, nil, nil, tsdb.DefaultOptions(), nil); err != nil {
		return nil, from, to, err
	}
	for i, file := range files {
		at, err := strconv.ParseInt(file.Name(), 10, 64)
		if err != nil {
			return nil, from, to, err
		}
		text, err := os.ReadFile(filepath.Join(scrapes, file.Name()))
		if err != nil {
			return nil, from, to, err
		}
		if err := add(store, text, at); err != nil {
			return nil, from, to, fmt.Errorf("%s: %w", file.Name(), err)
		}
		if to = time.UnixMilli(at); i == 0 {
			from = to
		}
	}
	return store, from, to, nil
}

// add the samples of one scrape.
func add(store *tsdb.DB, text []byte, at int64) error {
	p, err := textparse.New(text, "text/plain", labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return err
	}
	appender := store.Appender(context.Background())
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return appender.Commit()
		}
		if err != nil {
			return err
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var series labels.Labels
		p.Labels(&series)
		_, _, value := p.Series()
		if _, err := appender.Append(0, labels.NewBuilder(series).Set("namespace", "importjobstop-system").Labels(), at, value); err != nil {
			return err
		}
	}
}
