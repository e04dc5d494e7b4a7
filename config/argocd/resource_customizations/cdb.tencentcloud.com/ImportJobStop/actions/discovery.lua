local over = false
if obj.status ~= nil and obj.status.completionTime ~= nil then
  for _, condition in ipairs(obj.status.conditions or {}) do
    if condition.type == "Ready" then
      over = condition.status == "True" or condition.reason == "ImportAlreadyFinished"
    end
  end
end
local suspended = obj.spec.suspend == true
local actions = {}
actions["retry"] = {["disabled"] = over}
actions["suspend"] = {["disabled"] = over or suspended}
actions["resume"] = {["disabled"] = not suspended}
return actions
