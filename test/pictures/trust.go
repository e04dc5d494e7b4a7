// SPDX-License-Identifier: Apache-2.0

package main

// trust shows what the operator can read with config/default and with config/namespaced.
func trust() string {
	var c canvas
	install(&c, 10, "config/default", "a ClusterRole: get Secrets, by name", "get, if an object here names it", false)
	install(&c, 510, "config/namespaced", "a Role in each namespace that you choose", "no Role, no access", true)
	return c.svg(540, 1000, "What the operator can read with config/default and with config/namespaced")
}

// install is one way to install the operator. forbidden: it reads nothing of the third namespace.
func install(c *canvas, y int, title, role, reach string, forbidden bool) {
	c.group(10, y, 520, 380, pale, ink, "cluster, "+title)
	c.text(22, y+42, 13, "start", soft, role)
	c.group(25, y+64, 180, 150, white, blue, "importjobstop-system")
	c.box(45, y+116, 140, 50, paleBlue, blue, "operator")
	c.group(305, y+64, 212, 140, white, green, "namespace shop")
	c.box(325, y+98, 172, 36, paleGreen, green, "ImportJobStop")
	c.box(325, y+154, 172, 36, paleGreen, green, "Secret that it names")
	c.arrow(411, y+134, 411, y+154, ink, false)
	c.arrow(185, y+130, 325, y+118, ink, false)
	c.text(255, y+108, 13, "middle", ink, "watch, status")
	c.arrow(185, y+152, 325, y+170, ink, false)
	c.text(255, y+184, 13, "middle", ink, "get")
	colour, fill := green, paleGreen
	if forbidden {
		colour, fill = red, paleRed
	} else {
		c.arrow(155, y+166, 285, y+276, ink, true)
	}
	c.group(285, y+244, 232, 110, white, colour, "any other namespace")
	c.box(315, y+280, 172, 36, fill, colour, "Secret")
	c.text(401, y+340, 13, "middle", colour, reach)
	c.box(45, y+410, 140, 44, paleAmber, amber, "Tencent Cloud")
	c.arrow(115, y+166, 115, y+410, ink, false)
	c.text(127, y+400, 13, "start", ink, "HTTPS, signed with the keys of the Secret")
	c.text(200, y+436, 13, "start", soft, "No object can name another host.")
}
