// SPDX-License-Identifier: Apache-2.0

package main

// trust shows what the operator can read with config/default and with config/namespaced.
func trust() string {
	var c canvas
	install(&c, 20, "config/default", "a ClusterRole: get Secrets, by name", "get, if an object here names it", false)
	install(&c, 610, "config/namespaced", "a Role in each namespace that you choose", "no Role, no access", true)
	return c.svg(1190, 500, "What the operator can read with config/default and with config/namespaced")
}

// install is one way to install the operator. forbidden: it reads nothing of the third namespace.
func install(c *canvas, x int, title, role, reach string, forbidden bool) {
	c.group(x, 20, 560, 380, pale, ink, "cluster, "+title)
	c.text(x+12, 62, 13, "start", soft, role)
	c.group(x+20, 84, 180, 150, white, blue, "importjobstop-system")
	c.box(x+40, 136, 140, 50, paleBlue, blue, "operator")
	c.group(x+330, 84, 210, 140, white, green, "namespace shop")
	c.box(x+350, 118, 170, 36, paleGreen, green, "ImportJobStop")
	c.box(x+350, 174, 170, 36, paleGreen, green, "Secret that it names")
	c.arrow(x+435, 154, x+435, 174, ink, false)
	c.arrow(x+180, 150, x+350, 138, ink, false)
	c.text(x+266, 128, 12, "middle", ink, "watch, status")
	c.arrow(x+180, 172, x+350, 190, ink, false)
	c.text(x+266, 204, 12, "middle", ink, "get")
	colour, fill := green, paleGreen
	if forbidden {
		colour, fill = red, paleRed
	} else {
		c.arrow(x+150, 186, x+330, 310, ink, true)
	}
	c.group(x+330, 264, 210, 110, white, colour, "any other namespace")
	c.box(x+350, 300, 170, 36, fill, colour, "Secret")
	c.text(x+435, 360, 11, "middle", colour, reach)
	c.box(x+40, 430, 140, 44, paleAmber, amber, "Tencent Cloud")
	c.arrow(x+110, 186, x+110, 430, ink, false)
	c.text(x+122, 420, 12, "start", ink, "HTTPS, signed with the keys of the Secret")
	c.text(x+200, 456, 12, "start", soft, "No object can name another host.")
}
