// SPDX-License-Identifier: Apache-2.0

package faults

var cloudRows []row
