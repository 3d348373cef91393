const isNumber = require("is-number");
console.log(`42 ${isNumber(42) ? "is" : "is not"} a number`);
