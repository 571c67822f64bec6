document.getElementById("main").textContent = "…";
