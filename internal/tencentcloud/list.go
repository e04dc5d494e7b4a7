// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// maxName is the maximum length of a text of a record, in bytes. It fits into the status of an object.
const maxName = 256

// List sends one DescribeDBImportRecords and returns the page of the imports of an instance that begins at offset. The errors and the time
// limit are those of Stop. A page that is incomplete, or that contradicts its TotalCount, is a Transient error.
func (c *Client) List(ctx context.Context, creds importjob.Credentials, t importjob.Target, instanceID string, offset int) (importjob.Page, error) {
	input := parameters{"InstanceId": instanceID, "Offset": offset, "Limit": importjob.PageSize}
	response, err := c.call(ctx, creds, t, importjob.ActionList, input)
	if err != nil {
		return importjob.Page{}, err
	}
	gate := newGate(c.secrets(creds, t)...).forManyTexts()
	total, items, flaw := readListing(response, offset)
	if number := strconv.Itoa(total); gate.redact(number, maxID) != number {
		flaw = "the TotalCount of the listing quotes a credential" // a part of one can have digits alone
	}
	if flaw != "" {
		return importjob.Page{}, &importjob.Error{Class: importjob.Transient, Code: codeUnreadable, Message: gate.redact(flaw, maxMessage), RequestID: response.RequestID}
	}
	page := importjob.Page{Total: total, Records: make([]importjob.Record, len(items))}
	for i, item := range items {
		page.Records[i] = item.record(gate)
	}
	return page, nil
}

// item is the part of a listed import that the package uses. The vendor's own example writes one number as a number and as a text, so
// that a field of another type is not an error. Its InstanceId is not the id that was asked for.
// Source: https://www.tencentcloud.com/document/product/236/15878 (ImportRecord).
type item struct {
	AsyncRequestID                        json.RawMessage `json:"AsyncRequestId"`
	DatabaseName                          json.RawMessage `json:"DbName"`
	Status, Process, FileName, CreateTime json.RawMessage
}

// readListing returns the TotalCount and the Items of an answer, or what is wrong with them. It quotes nothing of the answer but numbers.
func readListing(response apiResponse, offset int) (total int, items []item, flaw string) {
	total, err := strconv.Atoi(number(response.TotalCount))
	if err != nil || total < 0 {
		return 0, nil, "the listing has no TotalCount that is a number of imports"
	}
	items, err = readItems(response.Items)
	if err != nil {
		return 0, nil, "the Items of the listing do not have the format of the API"
	}
	if len(items) > importjob.PageSize {
		return 0, nil, fmt.Sprintf("the listing has more than %d imports on a page", importjob.PageSize)
	}
	if want := min(max(total-offset, 0), importjob.PageSize); len(items) != want {
		return 0, nil, fmt.Sprintf("the listing has %d imports from %d on, but its TotalCount is %d: want %d", len(items), offset, total, want)
	}
	return total, items, ""
}

// readItems returns the Items, at most one more than a page has, so that an answer of a million items costs no more than a page.
func readItems(list json.RawMessage) (items []item, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	var raw [importjob.PageSize + 1]json.RawMessage // encoding/json skips what is beyond the array
	if err := json.Unmarshal(list, &raw); err != nil {
		return nil, err
	}
	for _, value := range raw {
		if value == nil {
			break
		}
		var i *item
		if err := json.Unmarshal(value, &i); err != nil {
			return nil, err
		}
		if i == nil {
			return nil, errNullItem
		}
		items = append(items, *i)
	}
	return items, nil
}

var errNullItem = errors.New("an item is null")

// record returns the import as the port describes it.
func (i *item) record(gate gate) importjob.Record {
	percent, _ := strconv.ParseFloat(number(i.Process), 64)
	return importjob.Record{
		AsyncRequestID: idOf(text(i.AsyncRequestID), gate),
		State:          stateOf(number(i.Status)),
		Percent:        int(min(max(percent, 0), 100)),
		FileName:       gate.redactName(text(i.FileName), maxName),
		DatabaseName:   gate.redactName(text(i.DatabaseName), maxName),
		CreateTime:     gate.redact(text(i.CreateTime), maxName),
	}
}

// stateOf returns a documented state, and RecordUnknown for anything else: only an import that is known to run is stopped.
func stateOf(status string) importjob.RecordState {
	switch status {
	case "0":
		return importjob.RecordInitializing
	case "1":
		return importjob.RecordRunning
	case "2":
		return importjob.RecordSuccessful
	case "3":
		return importjob.RecordFailed
	}
	return importjob.RecordUnknown
}

// idPattern is that of spec.asyncRequestId: the vendor documents no format.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)

// idOf returns the id verbatim, or nothing if it cannot be an id, is too long or has a secret: an id that was changed is that of another import.
func idOf(id string, gate gate) string {
	if !idPattern.MatchString(id) || gate.redact(id, maxID) != id {
		return ""
	}
	return id
}

// number returns the digits of a JSON number, or of a JSON text that is a number, and nothing for any other value.
func number(value json.RawMessage) string {
	var n json.Number
	if json.Unmarshal(value, &n) != nil {
		return ""
	}
	return n.String()
}

// text returns a JSON text, and nothing for any other value.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
